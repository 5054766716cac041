"""Each way in which a migration or a seed function can end, on both databases."""

from __future__ import annotations

import pytest
from project import Project

ARGUMENTS = ('"shop.0002"', 'rows={"shop.Order": 500}', 'limit="512Mi"', "time_budget=10")

ENDS = {
    "raises": (
        "raise ValueError('no price for order 7')",
        "raised with 125 shop.Order rows: ValueError: no price for order 7",
    ),
    "exits": ("import sys; sys.exit(3)", "raised with 125 shop.Order rows: SystemExit: 3"),
    "exits at once": ("import os; os._exit(0)", "its process exited with status 0 and without"),
    "kills itself": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "failed with 125 shop.Order rows: its process was killed by SIGKILL",
    ),
    "crashes": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "its process was killed by SIGSEGV",
    ),
    "breaks the connection": (
        "schema_editor.connection.connection.close()",
        "raised with 125 shop.Order rows: ",
    ),
    "never ends": ("import time; time.sleep(1000)", "timed out: it did not finish within "),
    "starts a thread that never ends": (
        "import threading, time\n    threading.Thread(target=time.sleep, args=(1000,)).start()",
        "; the migration is applied, but a thread or an atexit handler is still running",
    ),
    "opens another alias": (
        "from django.db import connections; connections['other'].cursor()",
        "tried to use the database alias 'other', which was refused",
    ),
    "queries another alias": (
        "list(apps.get_model('shop', 'Order').objects.using('other').filter(total=1))",
        "tried to use the database alias 'other', which was refused",
    ),
    "looks for a row in another alias": (
        "apps.get_model('shop', 'Order').objects.using('other').filter(total=1).exists()",
        "tried to use the database alias 'other', which was refused",
    ),
    "writes to another alias": (
        "apps.get_model('shop', 'Order').objects.using('other').filter(total=1).delete()",
        "tried to use the database alias 'other', which was refused",
    ),
    "alters another alias": (
        "from django.db import connections; connections['other'].schema_editor()",
        "tried to use the database alias 'other', which was refused",
    ),
}

FINE = {
    "prints megabytes": "print('x' * 5_000_000)",
    "writes to the standard streams": "import os; os.write(1, b'{}\\n' * 9); os.write(2, b'\\xff')",
    "reads standard input": "import sys; assert sys.stdin.read() == ''",
    "closes the connection": "schema_editor.connection.close()",
    "forks": (
        "import os\n    pid = os.fork()\n    if pid == 0: os._exit(0)\n    os.waitpid(pid, 0)"
    ),
    "leaves a child behind": (
        "import os, time\n    if os.fork() == 0:\n        time.sleep(1000)"
    ),
    "starts a thread of its own": (
        "import threading, time\n    threading.Thread(target=time.sleep, args=(0.1,)).start()"
    ),
    "starts a daemon thread that never ends": (
        "import threading, time\n"
        "    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    ),
}  # fmt: skip


def forwards(body: str) -> str:
    return (
        f"def forwards(apps, schema_editor):\n"
        f"    list(apps.get_model('shop', 'Order').objects.all())\n    {body}\n"
    )


@pytest.mark.parametrize(("body", "message"), ENDS.values(), ids=ENDS.keys())
def test_a_migration_that_does_not_finish(project: Project, body: str, message: str) -> None:
    with (project.path / "settings.py").open("a") as file:
        file.write("DATABASES['other'] = {**DATABASES['default'], 'NAME': 'elsewhere.sqlite3'}\n")
    project.migration("0002_odd", forwards(body), atomic=False)
    project.budget(*ARGUMENTS)
    result = project.run("--membudget-json=results.json")
    result.assert_outcomes(failed=1)
    first = result.stdout.lines[
        result.stdout.lines.index(
            next(line for line in result.stdout.lines if line.startswith("____"))
        )
        + 1
    ]
    assert first.startswith("shop.0002_odd ")
    assert message in first
    assert not (project.path / "elsewhere.sqlite3").exists()


def test_the_traceback_of_a_migration_that_raises(project: Project, vendor: str) -> None:
    project.migration("0002_odd", forwards("apps.get_model('shop', 'Order').objects.get(id=-1)"))
    project.budget(*ARGUMENTS)
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "shop.0002_odd raised with 125 shop.Order rows: DoesNotExist: *",
            "Traceback (most recent call last):",
            '*shop/migrations/0002_odd.py", line 6, in forwards',
        ]
    )
    assert "pytest_membudget" not in result.stdout.str()


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_an_odd_migration_that_finishes(project: Project, body: str) -> None:
    project.migration("0002_odd", forwards(body), atomic=False)
    project.budget(*ARGUMENTS)
    project.run().assert_outcomes(passed=1)


def test_a_migration_that_breaks_only_at_scale(project: Project, vendor: str) -> None:
    body = "assert apps.get_model('shop', 'Order').objects.count() < 400, 'too many rows'"
    project.migration("0002_odd", forwards(body))
    project.budget(*ARGUMENTS)
    result = project.result()
    assert result["verdict"] == "error"
    assert "raised with 500 shop.Order rows: AssertionError: too many rows" in result["reason"]
    assert "broke-at-scale" in [finding["code"] for finding in result["findings"]]
    assert [sample["outcome"] for sample in result["samples"]] == ["finished", "finished", "raised"]


SEEDS = {
    "raises": ("raise LookupError('no rows today')", "seeds.seed raised LookupError: no rows today"),
    "too few": (
        "apps.get_model('shop', 'Customer').objects.create(email='a@b.c')",
        "cannot seed shop.Customer: seeds.seed created 1 rows, but 125 were requested",
    ),
    "exits": ("import os; os._exit(4)", "the database server process ended with status 4"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "message"), SEEDS.values(), ids=SEEDS.keys())
def test_a_seed_function_that_fails(project: Project, vendor: str, body: str, message: str) -> None:
    project.migration("0002_stream", forwards("pass"))
    project.write("seeds.py", f"def seed(apps, rows, using):\n    {body}\n")
    project.budget(
        '"shop.0002"', 'rows={"shop.Customer": 500}', 'limit="512Mi"', 'seed="seeds.seed"'
    )
    result = project.result()
    assert result["verdict"] == "error"
    assert message in result["reason"]
    assert result["samples"] == []
