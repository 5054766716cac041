"""Workers that are copies of a process: they weigh what one weighs that has started by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pytest_membudget.processes.messages.orders import Clone, Drop, Prepare
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.processes.worker.outcome import Launch
from pytest_membudget.sample import Outcome, Run
from pytest_membudget.units import MIB

SETTINGS = """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "copied"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"}}
"""
MIGRATION = """
import os
import sys
from django.db import connection, migrations

def forwards(apps, schema_editor):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE here (path text)")
    print("printed", os.path.basename(connection.settings_dict["NAME"]))
    kept = [bytes(1000) for _ in range(int(os.environ.get("KEPT", 20_000)))]
    if "WAITS" in os.environ:
        __import__("time").sleep(60)
    if "RAISES" in os.environ:
        raise ValueError("of the migration")

class Migration(migrations.Migration):
    operations = [migrations.RunPython(forwards)]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of an app whose migration keeps 20 MB."""
    (tmp_path / "settings_of_copies.py").write_text(SETTINGS)
    migrations = tmp_path / "copied" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "__init__.py").touch()
    (migrations / "0001_it.py").write_text(MIGRATION)
    (migrations.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_copies")
    models = migrations.parent / "models.py"
    models.touch()
    return models


@pytest.fixture
def clients() -> Iterator[list[ServerClient]]:
    # A server of other tests of this process may run.
    others = set(psutil.Process().children())
    started: list[ServerClient] = []
    yield started
    own = set(psutil.Process().children()) - others
    processes = [*own, *(below for one in own for below in one.children(recursive=True))]
    for one in started:
        one.close()
        assert not Path(one.greeting.folder).exists()
    assert not [one for one in processes if one.is_running() and one.status() != "zombie"]


def launched(clients: list[ServerClient], *, copied: bool = True, deadline: float = 30) -> Run:
    if not clients:
        clients.append(ServerClient("default"))
    [client] = clients
    name = client.call(Clone(client.call(Prepare([], [])).name))
    done = run(
        Launch(
            alias="default",
            name=name,
            tables={},
            targets=[("copied", "0001_it")],
            migrations=[("copied", "0001_it")],
            reverse=False,
            deadline=deadline,
            stop_above=1 << 40,
            folder=client.greeting.folder,
            mark=client.greeting.mark,
            workers=client.workers if copied else None,
        )
    )
    client.call(Drop(name))
    return done


def is_copied(clients: list[ServerClient]) -> bool:
    workers = clients[0].workers
    assert workers is not None
    return workers.copies


def test_a_copy_weighs_what_a_process_of_its_own_does(
    project: Path, clients: list[ServerClient]
) -> None:
    copied = [launched(clients) for _ in range(2)]
    fresh = [launched(clients, copied=False) for _ in range(2)]
    assert is_copied(clients)
    assert {one.failure for one in copied + fresh} == {""}
    for figure in ("peak", "baseline", "anonymous"):
        values = [getattr(one, figure) for one in copied + fresh]
        assert max(values) - min(values) < MIB / 2, (figure, values)
    assert copied[0].startup < fresh[0].startup


COUNTS = """
import os, sys

def count():
    with open({path!r}, "a") as file:
        file.write(f"{{sum(name.startswith('django.') for name in sys.modules)}} ")

os.register_at_fork(after_in_child=count)
"""


def test_a_copy_begins_with_what_the_first_one_has_imported(
    project: Path, clients: list[ServerClient]
) -> None:
    """Django imports some of its modules when it checks a project."""
    counted = project.with_name("counted")
    project.write_text(COUNTS.format(path=str(counted)))
    for _ in range(3):
        assert launched(clients).outcome == Outcome.FINISHED
    weighed, first, second, third = map(int, counted.read_text().split())
    assert weighed == first < second == third


@pytest.mark.parametrize(
    "start_up",
    [
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import subprocess\nsubprocess.Popen(['sleep', '60'])",
        "from django.db import connection\nconnection.ensure_connection()",
        "import tempfile\nfolder = tempfile.TemporaryDirectory(prefix='of_copies')",
    ],
    ids=["threads", "processes", "connections", "temporary files"],
)
def test_a_project_that_can_not_be_copied(
    project: Path, clients: list[ServerClient], start_up: str
) -> None:
    project.write_text(start_up)
    done = launched(clients)
    assert done.outcome == Outcome.FINISHED
    assert not is_copied(clients)
    clients.pop().close()
    assert not list(Path(tempfile.gettempdir()).glob("of_copies*"))


def test_what_a_copy_raises_and_prints_is_its_own(
    project: Path, clients: list[ServerClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(clients)
    monkeypatch.setenv("RAISES", "yes")
    failed = launched(clients)
    assert failed.outcome == Outcome.RAISED
    assert failed.failure == "ValueError: of the migration"
    assert failed.baseline
    assert is_copied(clients)


def test_a_copy_that_is_stopped_leaves_the_template(
    project: Path, clients: list[ServerClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAITS", "yes")
    assert launched(clients, deadline=3).outcome == Outcome.TIMED_OUT
    assert is_copied(clients)
    monkeypatch.delenv("WAITS")
    assert launched(clients).outcome == Outcome.FINISHED


def test_a_template_that_was_killed_is_replaced(project: Path, clients: list[ServerClient]) -> None:
    assert launched(clients).outcome == Outcome.FINISHED
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if any("worker.template" in word for word in one.cmdline()):
                one.kill()
    assert launched(clients).outcome == Outcome.FINISHED
    assert launched(clients).outcome == Outcome.FINISHED
    assert is_copied(clients)
