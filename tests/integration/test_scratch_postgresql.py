"""Databases on a PostgreSQL server: made and dropped without a wait for what can't be hurried."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import servers
from leftovers import databases, eventually

from pytest_membudget.database.scratch.drops import AT_ONCE
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.messages.orders import Clone, Drop, EndSessions, Prepare, Take
from pytest_membudget.processes.server.client import ServerClient

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = []
DATABASES = {"default": %r}
"""


@pytest.fixture
def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: servers.Server
) -> Iterator[ServerClient]:
    text = SETTINGS % (postgresql.database("production"),)
    (tmp_path / "settings_of_scratch.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_scratch")
    client = ServerClient("default")
    yield client
    client.close()
    assert list(client.leftovers()) == []
    assert databases(postgresql) == []


@contextmanager
def stopped_backend(server: servers.Server, database: str) -> Iterator[None]:
    """A session whose process does not answer, as one in a loop of compiled code."""
    with server.connect(database) as connection:
        pid = connection.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def test_databases_are_dropped_beside_other_work(
    client: ServerClient, postgresql: servers.Server
) -> None:
    """To drop any, the server waits for all of its sessions."""
    name = client.call(Prepare([], [])).name
    with stopped_backend(postgresql, "postgres"):
        for _ in range(AT_ONCE):
            clone = client.call(Clone(name))
            begin = time.monotonic()
            client.call(Drop(clone))
            assert time.monotonic() - begin < 3
        with pytest.raises(ServerError, match="is not a scratch database of this run"):
            client.call(Clone(clone))
        assert client.call(Clone(name)) != clone
        assert len(databases(postgresql)) > AT_ONCE
    assert eventually(lambda: len(databases(postgresql)) < AT_ONCE)


def test_a_large_database_is_dropped_soon(client: ServerClient, postgresql: servers.Server) -> None:
    name = client.call(Prepare([], [])).name
    clone = client.call(Clone(name))
    with postgresql.connect(clone) as connection:
        connection.execute(
            "CREATE UNLOGGED TABLE large AS"
            " SELECT repeat(md5(n::text), 60) FROM generate_series(1, 150000) n"
        )
    client.call(Drop(clone))
    assert eventually(lambda: clone not in databases(postgresql))


def test_what_is_to_be_dropped_is_dropped_at_the_end(
    client: ServerClient, postgresql: servers.Server
) -> None:
    name = client.call(Prepare([], [])).name
    for _ in range(5):
        client.call(Drop(client.call(Clone(name))))
    # The fixture asserts that none is left.


def test_sessions_are_ended(client: ServerClient, postgresql: servers.Server) -> None:
    name = client.call(Prepare([], [])).name
    ended = []

    def sleep() -> None:
        with postgresql.connect(name) as connection, suppress(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(1000)")
        ended.append(True)

    thread = threading.Thread(target=sleep)
    thread.start()
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND state = 'active'"
    with postgresql.connect() as connection:
        assert eventually(lambda: connection.execute(query).fetchone() == (1,))
    assert client.call(EndSessions(name))
    thread.join(10)
    assert ended == [True]
    assert client.call(Clone(name))


def test_one_that_cannot_be_ended_is_not_waited_for(
    client: ServerClient, postgresql: servers.Server
) -> None:
    name = client.call(Prepare([], [])).name
    with stopped_backend(postgresql, name), suppress(psycopg.OperationalError):
        begin = time.monotonic()
        assert not client.call(EndSessions(name))
        assert time.monotonic() - begin < 3


def test_a_taken_database_tells_its_sessions_before(
    client: ServerClient, postgresql: servers.Server
) -> None:
    name = client.call(Prepare([], [])).name
    for _ in range(3):
        postgresql.connect(name).close()
    taken = client.call(Take(name))
    with postgresql.connect() as connection:
        old = connection.info.server_version < 150_000
    assert taken.name == name or old
    assert taken.sessions == (0 if old else 3)


def test_what_one_thread_administers_is_closed_to_others(tmp_path: Path) -> None:
    target = Target("default", "scratch", "mark", str(tmp_path), str(tmp_path / "target"))
    seen = []
    with target.allow_unmarked("postgres"):
        assert target.owns("postgres", None)
        thread = threading.Thread(target=lambda: seen.append(target.owns("postgres", None)))
        thread.start()
        thread.join()
    assert seen == [False]
    assert not target.owns("postgres", None)
