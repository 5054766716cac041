"""Each way in which a migration or a seed function can end."""

from __future__ import annotations

import re
from typing import Any

import pytest
import servers
from batch import checks
from project import FEW, LIMIT, Project

REFUSED = "tried to use the database alias 'other', which was refused"
ENDS = {
    "raises": (
        "raise ValueError('no price for order 7')",
        "raised with 15 shop.Order rows: ValueError: no price for order 7",
    ),
    "exits": ("import sys; sys.exit(3)", "raised with 15 shop.Order rows: SystemExit: 3"),
    "exits at once": ("import os; os._exit(0)", "its process exited with status 0 without"),
    "kills itself": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "failed with 15 shop.Order rows: its process was killed by SIGKILL",
    ),
    "crashes": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "its process was killed by SIGSEGV",
    ),
    "breaks the connection": (
        "schema_editor.connection.connection.close()",
        "raised with 15 shop.Order rows: ",
    ),
    "never ends": (
        "import time; time.sleep(1000)",
        "timed out with 15 shop.Order rows: it did not finish within ",
    ),
    "starts a thread that never ends": (
        "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
        "; the migration is applied, but a thread or an atexit handler is still running",
    ),
    "opens another alias": ("connections['other'].cursor()", REFUSED),
    "queries another alias": ("list(orders.using('other').filter(total=1))", REFUSED),
    "looks for a row in another alias": ("orders.using('other').filter(total=1).exists()", REFUSED),
    "writes to another alias": ("orders.using('other').filter(total=1).delete()", REFUSED),
    "alters another alias": ("connections['other'].schema_editor()", REFUSED),
}

FINE = {
    "prints megabytes": "print('x' * 5_000_000)",
    "writes to the standard streams": "import os; os.write(1, b'{}\\n' * 9); os.write(2, b'\\xff')",
    "reads standard input": "import sys; assert sys.stdin.read() == ''",
    "closes the connection": "schema_editor.connection.close()",
    "forks": "import os; pid = os.fork(); pid or os._exit(0); os.waitpid(pid, 0)",
    "leaves a child behind": "import os, time; os.fork() or time.sleep(1000)",
    "starts a thread of its own": (
        "import threading, time; threading.Thread(target=time.sleep, args=(0.1,)).start()"
    ),
    "starts a daemon thread that never ends": (
        "import threading, time; "
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    ),
}  # fmt: skip


def forwards(body: str) -> str:
    """Do it where there are rows, so not while a state is built."""
    return f"""
from django.db import connections

def forwards(apps, schema_editor):
    orders = apps.get_model("shop", "Order").objects
    if list(orders.all()):
        {body}
"""


def prepare(project: Project) -> None:
    elsewhere = str(project.path.parent / "elsewhere.sqlite3")
    other = f"DATABASES['other'] = {{**DATABASES['default'], 'NAME': {elsewhere!r}}}"
    project.add("settings.py", other)


@checks(forwards, FEW, LIMIT, "time_budget=2", atomic=False)
@pytest.mark.parametrize("body", [body for body, _ in ENDS.values()], ids=ENDS.keys())
def test_a_migration_that_does_not_finish(
    result: dict[str, Any], body: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    message = dict(ENDS.values())[body]
    assert result["outcome"] == "failed"
    assert result["reason"].startswith(f"{result['migration']} ")
    assert message in result["reason"]
    assert not (tmp_path_factory.getbasetemp() / "elsewhere.sqlite3").exists()


@checks(forwards, FEW, LIMIT, atomic=False)
@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_an_odd_migration_that_finishes(result: dict[str, Any], body: str) -> None:
    assert (result["verdict"], result["outcome"]) == ("within", "passed")


@checks(forwards("assert orders.count() < 400, 'too many rows'"), 'rows={"shop.Order": 500}', LIMIT)
def test_a_migration_that_breaks_only_at_scale(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "raised with 500 shop.Order rows: AssertionError: too many rows" in result["reason"]
    assert "broke-at-scale" in [finding["code"] for finding in result["findings"]]
    assert [sample["outcome"] for sample in result["samples"]] == ["finished", "raised"]


@checks(forwards("orders.get(id=-1)"), FEW, LIMIT)
def test_the_traceback_of_a_migration_that_raises(result: dict[str, Any]) -> None:
    assert "raised with 15 shop.Order rows: DoesNotExist: " in result["reason"]
    assert result["details"].startswith("Traceback (most recent call last):")
    assert re.search(r'/migrations/0001_it\.py", line \d+, in forwards', result["details"])
    assert "pytest_membudget" not in result["reason"] + result["details"]


SEEDS = {
    "raises": ("raise LookupError('no rows today')", "seeds.raises raised LookupError: no rows today"),
    "exits": ("import os; os._exit(4)", "the database server process ended with status 4"),
    "too_few": (
        "apps.get_model('shop', 'Customer').objects.create(email='a@b.c')",
        "cannot seed shop.Customer: seeds.too_few created 1 rows, but 15 were requested",
    ),
}  # fmt: skip


def test_seed_functions_that_fail(project: Project, postgresql: servers.Server) -> None:
    project.migration("0002_stream", forwards("pass"))
    seeds = (f"def {name}(apps, rows, using): {body}\n" for name, (body, _) in SEEDS.items())
    project.write("seeds.py", "".join(seeds))
    rows = 'rows={"shop.Customer": 15}'
    project.budgets(*(('"shop.0002"', rows, LIMIT, f'seed="seeds.{name}"') for name in SEEDS))
    results = project.results()
    for result, (_, message) in zip(results, SEEDS.values(), strict=True):
        assert result["verdict"] == "error"
        assert message in result["reason"]
        assert result["samples"] == []
