"""Only what bears a run's own mark is ever dropped, and only when that run has ended."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import servers
from leftovers import databases, eventually
from project import FEW, LIMIT, LOOP, Project

pytestmark = pytest.mark.usefixtures("temporary")
WAITS = """
def forwards(apps, schema_editor):
    import pathlib, time
    list(apps.get_model("shop", "Order").objects.all())
    pathlib.Path("waiting").touch()
    while not pathlib.Path("go on").exists():
        time.sleep(0.05)
"""


def passing(project: Project) -> None:
    project.check(LOOP)
    project.run().assert_outcomes(passed=1)


def test_folders_that_only_look_like_ours_are_left(project: Project, temporary: Path) -> None:
    for name in ("membudget-mine", "membudget-with-a-lock", "membudget-locked-by-a-program"):
        (temporary / name).mkdir()
        (temporary / name / "work").write_text("precious")
    (temporary / "membudget-with-a-lock" / "lock").touch()
    (temporary / "membudget-locked-by-a-program" / "lock").write_text("1234\n")
    (temporary / "membudget-link").symlink_to(temporary / "membudget-mine")
    before = sorted(path.name for path in temporary.rglob("*"))
    passing(project)
    assert sorted(path.name for path in temporary.rglob("*")) == before


def test_databases_that_only_look_like_ours_are_left(
    project: Project, postgresql: servers.Server
) -> None:
    name = f"membudget_{secrets.token_hex(6)}_1"
    with postgresql.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        passing(project)
        assert databases(postgresql) == [name]
    finally:
        with postgresql.connect() as connection:
            connection.execute(f'DROP DATABASE "{name}"')


@contextmanager
def left_behind(server: servers.Server, *, seconds: int) -> Iterator[list[str]]:
    """Two databases of a run that has no session, with a lease for so many seconds more."""
    run = f"membudget_{secrets.token_hex(6)}"
    names = [f"{run}_1", f"{run}_2"]
    until = time.time() + seconds
    lease = {"run": run, "machine": "elsewhere", "folder": "/nowhere", "until": until}
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{names[0]}"')
        connection.execute(f"COMMENT ON DATABASE \"{names[0]}\" IS '{json.dumps(lease)}'")
    with server.connect(names[0]) as connection:
        connection.execute("CREATE SCHEMA membudget_scratch")
        connection.execute(f"COMMENT ON SCHEMA membudget_scratch IS '{run}'")
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{names[1]}" TEMPLATE "{names[0]}"')
    try:
        yield names
    finally:
        with server.connect() as connection:
            for name in names:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}"')


def test_a_run_of_another_machine_is_left_alone_while_its_lease_holds(
    project: Project, postgresql: servers.Server
) -> None:
    with left_behind(postgresql, seconds=300) as held, left_behind(postgresql, seconds=-1):
        passing(project)
        assert sorted(databases(postgresql)) == held


@pytest.fixture
def waiting(project: Project, postgresql: servers.Server) -> Iterator[subprocess.Popen[bytes]]:
    """A run of pytest whose migration waits for a file."""
    project.check(WAITS, FEW, LIMIT, "time_budget=300")
    process = project.start("-q")
    assert eventually((project.path / "waiting").exists, 60)
    yield process
    process.kill()
    process.wait()


def end_sessions(server: servers.Server) -> None:
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name ~ '^membudget_'"
        )


def test_a_run_whose_session_was_ended_keeps_its_databases(
    project: Project, postgresql: servers.Server, waiting: subprocess.Popen[bytes]
) -> None:
    before = databases(postgresql)
    end_sessions(postgresql)
    project.budget('"shop.0001"', 'rows={"auth.User": 10}', LIMIT)
    project.run()
    assert databases(postgresql) == before
    (project.path / "go on").touch()
    assert waiting.wait(60) == 0
    assert databases(postgresql) == []


def test_a_session_that_was_ended_does_not_leave_databases_behind(
    project: Project, postgresql: servers.Server, waiting: subprocess.Popen[bytes]
) -> None:
    end_sessions(postgresql)
    waiting.terminate()
    waiting.wait(60)
    assert eventually(lambda: databases(postgresql) == [])


def test_an_idle_session_of_ours_is_not_ended_by_the_server(
    project: Project, postgresql: servers.Server
) -> None:
    with postgresql.connect() as connection:
        connection.execute("ALTER SYSTEM SET idle_session_timeout = '500ms'")
        connection.execute("SELECT pg_reload_conf()")
    try:
        project.check(LOOP + "    import time; time.sleep(1.5)\n")
        project.run().assert_outcomes(passed=1)
    finally:
        with postgresql.connect() as connection:
            connection.execute("ALTER SYSTEM RESET idle_session_timeout")
            connection.execute("SELECT pg_reload_conf()")
    assert databases(postgresql) == []
