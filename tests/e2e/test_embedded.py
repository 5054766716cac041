"""``membudget_server = embedded``: a private server, and no way to that of the settings."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from leftovers import eventually
from project import FEW, LIMIT, LOOP, SETTINGS, SQLITE, STREAM, Project

EMBEDDED = "--membudget-server=embedded"
DATABASE = """
DATABASES["default"] = {{
    "ENGINE": "django.db.backends.postgresql", "NAME": "production", "HOST": "127.0.0.1",
    "PORT": "{port}", "USER": "app", "PASSWORD": "hunter2-of-production", "CONN_MAX_AGE": 60,
    "OPTIONS": {{"sslmode": "require", "connect_timeout": 5, "options": "-c work_mem=5MB"}},
}}
"""

THREE_THOUSAND = 'rows={"shop.Order": 3000}'
# In a process of its own as well, and with a driver.
CONNECTS = """
import contextlib, os, subprocess, sys
COUNT = "import django; django.setup(); from django.db import connection as c; k = c.cursor();"
COUNT += "k.execute('SELECT count(*), current_setting($$work_mem$$) FROM shop_order');"
COUNT += "print('%s orders, work_mem %s' % k.fetchone())"
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Order").objects.all())
    with open("counted", "w") as file:
        subprocess.run([sys.executable, "-c", COUNT], stdout=file, check=True)
    import psycopg
    from django.conf import settings
    for where in ({}, {"host": "127.0.0.1"}, {"conninfo": "postgresql://app@127.0.0.1/"}):
        with contextlib.suppress(Exception):
            psycopg.connect(**where, port=PORT, dbname="production")
"""
SLEEPS = """
import pathlib, time
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Order").objects.all())
    pathlib.Path("sleeping").touch()
    time.sleep(1000)
"""
NO_PROGRAMS = "from pytest_membudget.database import programs\nprograms.all_programs = lambda: ()\n"
ENGINE = """
from django.db.backends.postgresql import base
class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self):
        return {**super().get_connection_params(), %s}
"""
OWN_HOST = {"engine/__init__.py": "", "engine/base.py": ENGINE % "'host': 'db.example.com'"}
RAISES = {"engine/__init__.py": "", "engine/base.py": ENGINE % "'host': {}['REGION']"}


class Production:
    """Listens where the settings lead to, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.connections = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def production() -> Iterator[Production]:
    listening = Production()
    yield listening
    listening.close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, production: Production) -> Project:
    """On PostgreSQL, with settings and an environment that lead to ``production``."""
    project = Project(tmp_path, "sqlite", {})
    project.add("settings.py", DATABASE.format(port=production.port))
    for name, value in {
        **project.environment,
        "PGHOST": "127.0.0.1",
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": str(production.port),
        "PGSSLMODE": "require",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGUSER": "app",
        "PGPASSWORD": "hunter2-of-production",
        # What a run starts is told apart by it.
        "TMPDIR": str(tmp_path / "t"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "t").mkdir()
    monkeypatch.chdir(tmp_path)
    return project


def servers(project: Project) -> list[psutil.Process]:
    """The servers that runs of the project have started."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("TMPDIR") == str(project.path / "t")
            if ours and "-D" in process.cmdline():
                found.append(process)
        except psutil.Error:
            pass
    return found


def data_of(server: psutil.Process) -> Path:
    arguments = server.cmdline()
    return Path(arguments[arguments.index("-D") + 1])


def test_a_marked_test_and_the_gate_leave_production_alone(
    project: Project, production: Production
) -> None:
    project.migration("0002_loop", LOOP)
    project.migration("0003_connects", CONNECTS.replace("PORT", str(production.port)))
    budgets = ('"shop.0002"', THREE_THOUSAND, LIMIT), ('"shop.0003"', FEW, LIMIT)
    project.budgets(*budgets)
    project.profile({"shop_order": 3000, "shop_customer": 300, "django_content_type": 9})
    gate = "--membudget-gate=shop.0002", "--membudget-limit=512Mi"
    for arguments, verdicts in (((), ["within", "inconclusive"]), (gate, ["within"])):
        done = project.run(EMBEDDED, "--membudget-json=results.json", *arguments)
        results = project.read_results()
        assert [one["verdict"] for one in results] == verdicts
        (named,) = {(one["database"]["vendor"], one["database"]["version"]) for one in results}
        assert named[0] == "postgresql"
        header = next(line for line in done.outlines if line.startswith("membudget: "))
        assert f"server embedded, PostgreSQL {named[1]} (from the command line)" in header
    assert (project.path / "counted").read_text().endswith(" orders, work_mem 5MB\n")
    assert production.connections == 0
    assert servers(project) == []


@pytest.mark.parametrize(
    ("whose", "number"),
    [
        ("pytest", signal.SIGINT),
        ("pytest", signal.SIGTERM),
        ("pytest", signal.SIGKILL),
        ("program", signal.SIGKILL),
    ],
)
def test_the_server_ends_with_what_has_started_it(
    project: Project, whose: str, number: signal.Signals
) -> None:
    project.check(SLEEPS)
    run = project.start(EMBEDDED, stdout=subprocess.DEVNULL)
    try:
        assert eventually((project.path / "sleeping").exists, 120)
        (server,) = servers(project)
        data = data_of(server)
        assert data.exists()
        process = psutil.Process(run.pid) if whose == "pytest" else server.parent()
        assert process is not None
        process.send_signal(number)
        assert eventually(lambda: not servers(project), 30)
        assert eventually(lambda: not data.parent.parent.exists(), 30)
    finally:
        run.kill()
        run.wait()
    assert eventually(lambda: not list((project.path / "t").iterdir()), 60)


def test_without_postgresql_databases_none_is_needed(project: Project) -> None:
    project.write("conftest.py", NO_PROGRAMS)
    project.write("settings.py", SETTINGS % SQLITE)
    project.check(STREAM)
    project.run(EMBEDDED).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "files", "message"),
    [
        ("embedded", {"conftest.py": NO_PROGRAMS}, "pytest-membudget[embedded-postgresql]"),
        ("embedded:1", {}, "there is no PostgreSQL 1 to start on this machine, but "),
        ("embedded", OWN_HOST, "engine connects to 'db.example.com' whatever HOST is"),
        ("embedded", RAISES, "engine raised KeyError: 'REGION'"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    project: Project, production: Production, option: str, files: dict[str, str], message: str
) -> None:
    project.check(LOOP)
    for name, text in files.items():
        project.write(name, text)
    if len(files) > 1:
        project.add("settings.py", "DATABASES['default']['ENGINE'] = 'engine'")
    done = project.run(f"--membudget-server={option}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*membudget: membudget_server*{message.replace('[', '[[]')}*"])
    assert production.connections == 0
