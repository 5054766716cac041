"""Orders to a database server process: one is carried out at a time, each has its own answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_membudget.errors import OutOfTime, ServerError
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.messages.orders import (
    Clone,
    Drop,
    ListRefusals,
    Prepare,
    Weigh,
)
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.stopwatch import Stopwatch

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["slow"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"}}
"""
SLEEPS = """
import time
from django.db import migrations

class Migration(migrations.Migration):
    operations = [migrations.RunPython(lambda apps, schema_editor: time.sleep(1.5))]
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerClient]:
    (tmp_path / "settings_of_server.py").write_text(SETTINGS)
    migrations = tmp_path / "slow" / "migrations"
    migrations.mkdir(parents=True)
    for folder in (migrations.parent, migrations):
        (folder / "__init__.py").touch()
    (migrations / "0001_sleeps.py").write_text(SLEEPS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_server")
    client = ServerClient("default")
    yield client
    client.close()
    assert not Path(client.greeting.folder).exists()


def test_an_order_waits_for_the_one_under_way(client: ServerClient) -> None:
    name = client.call(Prepare([], [])).name
    first, second = client.begin(Clone(name)), client.begin(Clone(name))
    client.call(Drop(name))
    assert len({name, first.answer(), second.answer(), first.answer()}) == 3


def test_a_failure_is_raised_where_its_answer_is_asked_for(client: ServerClient) -> None:
    failed = client.begin(Clone("production"))
    assert client.call(ListRefusals()) == []
    with pytest.raises(ServerError, match="'production' is not a scratch database of this run"):
        failed.answer()


def test_weighing_a_migration_is_no_part_of_the_time_budget(
    client: ServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It builds a state, and may take longer than another order."""
    monkeypatch.setattr("pytest_membudget.processes.server.client._ORDER_SECONDS", 0.5)
    deadline, keys = Deadline(60.0), [("slow", "0001_sleeps")]
    with client.bound_to(deadline, lambda step: None, Stopwatch()):
        client.call(Weigh(keys, keys))
    assert deadline.spent() < 1


def test_why_a_process_has_ended_is_said_for_each_later_order(client: ServerClient) -> None:
    with client.bound_to(Deadline(0.0), lambda step: None, Stopwatch()):
        building = client.begin(Prepare([("slow", "0001_sleeps")], []))
        building.until = 0.0
        for later in (ListRefusals(), ListRefusals()):
            with pytest.raises(OutOfTime, match="the state before the migration was not built"):
                client.call(later)


def test_no_order_is_sent_to_a_process_that_was_left(client: ServerClient) -> None:
    client.leave()
    with pytest.raises(ServerError, match="has ended"):
        client.call(ListRefusals())
