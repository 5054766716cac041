"""Which commands and connections a redirected process refuses, told without a check."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pymysql
import pytest

from pytest_membudget.database.target import RefusedDatabase, Target
from pytest_membudget.processes.redirection import children, drivers, mysql, settings

ENGINE = "django.db.backends.postgresql"
DEFAULT = {"ENGINE": ENGINE, "HOST": "db", "NAME": "production"}


@pytest.fixture
def target(tmp_path: Path) -> Target:
    made = Target("default", "scratch", "mark", str(tmp_path / "run"), str(tmp_path / "target"))
    made.write()
    return made


@pytest.mark.parametrize(
    "command",
    [
        ["psql", "-c", "DELETE FROM x"],
        ["/usr/bin/pg_restore", "dump"],
        ["sqlite3", "db.sqlite3"],
        ["sh", "-c", "PGPASSWORD=x psql -d production < dump.sql"],
        "cat dump.sql | mysql production",
        ["mariadb-admin", "drop", "production"],
        b"psql",
        ["python3", "-I", "manage.py", "migrate"],
        ["python3.13", "-sE", "manage.py"],
        ["/usr/bin/python3", "-S", "-m", "django"],
        ["bash", "-c", "exec python -I x.py"],
        ["python3", "-W", "ignore", "-I", "manage.py"],
        ["python3", "-Xutf8", "-X", "dev", "-E", "manage.py"],
        ["python3", "--check-hash-based-pycs", "always", "-I", "manage.py"],
    ],
)
def test_a_command_that_cannot_be_redirected_is_refused(target: Target, command: Any) -> None:
    with pytest.raises(RefusedDatabase):
        children._check_command(command, target)
    assert len(target.refusals()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["git", "rev-parse", "HEAD"],
        ["gzip", "psql"],
        ["python3", "manage.py", "-I"],
        ["python3", "-m", "x", "-E"],
        ["python3", "-c", "import sqlite3"],
        ["python3", "-W", "error::Exception:E", "x.py"],
        ["sh", "-c", "ls /usr/bin"],
        "echo it's",
        [],
    ],
)
def test_other_commands_run(target: Target, command: Any) -> None:
    children._check_command(command, target)
    assert target.refusals() == []


@pytest.mark.parametrize("name", drivers._OTHERS)
def test_drivers_of_other_databases_are_closed(target: Target, name: str) -> None:
    driver: Any = types.ModuleType(name)
    driver.connect = lambda *_: pytest.fail("it connected")
    drivers._close(driver, target)
    with pytest.raises(RefusedDatabase, match=f"membudget refuses a connection of {name}"):
        driver.connect("production")


class Session(pymysql.connections.Connection):
    """A class of its own, so that that of this process stays as it is."""


@pytest.mark.parametrize("user", ["root", b"root", "", None, "mark"])
def test_a_mysql_session_of_another_user_is_refused_before_it_is_opened(
    target: Target, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that has no user on such a server, each is."""
    monkeypatch.setattr(Session, "connect", pymysql.connections.Connection.connect)
    mysql._watch_pymysql(types.SimpleNamespace(Connection=Session), target)
    with pytest.raises(RefusedDatabase, match="refuses a connection to MySQL or MariaDB as"):
        Session(host="192.0.2.1", user=user, init_command="DELETE FROM x")
    target.password = "secret"
    if user == "mark":
        session = Session(host="127.0.0.1", port=1, user=user, defer_connect=True)
        with pytest.raises(pymysql.err.OperationalError, match="Can't connect"):
            session.connect()


MYSQLCLIENT = """
import sys
from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection import install
install(Target.read(sys.argv[1]))
import MySQLdb
for connect in (MySQLdb.connect, MySQLdb.connections.Connection,
                MySQLdb._mysql.connect, MySQLdb._mysql.connection):
    try:
        connect(host="127.0.0.1", port=1, user="root")
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(importlib.util.find_spec("MySQLdb") is None, reason="needs mysqlclient")
def test_no_way_to_connect_with_mysqlclient_is_left(target: Target) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MYSQLCLIENT, target.file], capture_output=True, text=True
    )
    assert done.stdout.split() == ["RefusedDatabase"] * 4, done.stderr


def test_an_alias_on_mariadb_has_the_runs_user(target: Target) -> None:
    target.password = "secret"
    target.address = [ENGINE, "db", "", "production"]
    options = {"user": "root", "passwd": "x", "charset": "latin1"}
    found = settings.redirected("default", {**DEFAULT, "USER": "root", "OPTIONS": options}, target)
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("mark", "secret", "scratch")
    assert found["OPTIONS"] == {"charset": "latin1"}


@pytest.mark.parametrize(
    ("alias", "config", "name"),
    [
        ("default", DEFAULT, "scratch"),
        ("replica", {**DEFAULT}, "scratch"),
        ("mirror", {**DEFAULT, "NAME": "x", "TEST": {"MIRROR": "default"}}, "scratch"),
        ("mirror", {**DEFAULT, "HOST": "far", "TEST": {"MIRROR": "default"}}, None),
        ("default", {**DEFAULT, "HOST": "far"}, None),
        ("other", {**DEFAULT, "NAME": "other"}, None),
        ("other", {"ENGINE": "django.db.backends.mysql", "NAME": "production"}, None),
    ],
)
def test_where_an_alias_leads(
    target: Target, alias: str, config: dict[str, Any], name: str | None
) -> None:
    target.address = [ENGINE, "db", "", "production"]
    found = settings.redirected(alias, dict(config), target)
    if name is None:
        assert found["ENGINE"] == settings.CLOSED_ENGINE
    else:
        assert found["NAME"] == name
        assert {**found, "NAME": config["NAME"]} == config


@pytest.mark.parametrize(
    ("database", "allowed"),
    [
        (":memory:", True),
        ("", True),
        ("file::memory:?cache=shared&mode=memory", True),
        ("file:/production.sqlite3?mode=ro", True),
        ("file:/production.sqlite3?immutable=1", True),
        ("file:/production.sqlite3?mode=rw", False),
        ("file:///production.sqlite3", False),
        ("file://localhost/production.sqlite3", False),
        ("file:production%2Esqlite3", False),
        ("production.sqlite3", False),
        (b"production.sqlite3", False),
        (Path("production.sqlite3"), False),
        ("{run}/1.sqlite3", True),
        ("file:{run}/1.sqlite3", True),
        ("{run}/../production.sqlite3", False),
        ("{run}-other/1.sqlite3", False),
    ],
)
def test_which_sqlite_files_are_opened(target: Target, database: Any, allowed: bool) -> None:
    if isinstance(database, str):
        database = database.replace("{run}", target.folder)
    if allowed:
        drivers._check_file(database, target)
    else:
        with pytest.raises(RefusedDatabase):
            drivers._check_file(database, target)


@pytest.mark.parametrize(("function", "place"), [(subprocess.Popen.__init__, 11), (os.execve, 2)])
def test_where_a_function_takes_an_environment(function: Any, place: int) -> None:
    assert list(inspect.signature(function).parameters)[place] == "env"


@pytest.mark.parametrize("given", [{"PYTHONPATH": "own"}, {b"PYTHONPATH": b"own"}, None])
def test_each_environment_is_completed(target: Target, given: Any) -> None:
    class Holder:
        start = staticmethod(lambda *args, env=None: args[-1] if env is None else env)

    children._watch_environment(Holder, "start", 1, target)
    for environment in (Holder.start("x", given), Holder.start("x", env=given)):
        assert environment[children.VARIABLE] == target.file
        first, *own = environment["PYTHONPATH"].split(os.pathsep)
        assert first == children._STARTUP
        assert given is None or own == ["own"]


@pytest.fixture
def environment(target: Target, tmp_path: Path) -> dict[str, str]:
    """Of a redirected process whose own environment has a sitecustomize."""
    (tmp_path / "sitecustomize.py").write_text("print('its own')\n")
    environment = {"PYTHONPATH": str(tmp_path)}
    children.complete(environment, target)
    return environment


def start(environment: dict[str, str]) -> Any:
    command = [sys.executable, "-c", "print('it ran')"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_process_that_cannot_be_redirected_does_not_run(environment: dict[str, str]) -> None:
    done = start({**environment, children.VARIABLE: "/gone"})
    assert (done.returncode, done.stdout) == (1, "")
    assert "this process can't be redirected" in done.stderr


def test_the_environments_own_sitecustomize_still_runs(environment: dict[str, str]) -> None:
    assert start(environment).stdout.splitlines() == ["its own", "it ran"]
