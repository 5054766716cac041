"""The memory of processes that are called as those of PostgreSQL are, and of no others."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pytest_membudget.processes.worker.server_processes import ServerProcesses, memory_of_session
from pytest_membudget.units import MIB

DATABASE = "membudget_it_7"
CODE = "import sys, time; kept = bytearray({size} << 20); print(flush=True); time.sleep(60)"
GIVES_BACK = CODE.replace("print", "kept = None; print")


@contextmanager
def process(folder: Path, name: str, code: str, title: str) -> Iterator[int]:
    """A process called ``name``, whose command line ends as ``title``."""
    program = folder / name
    if not program.exists():
        program.symlink_to(sys.executable)
    command = [str(program), "-c", code, title]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started.pid
        finally:
            started.kill()


def peak_of(database: str) -> int | None:
    server = ServerProcesses("postgres", database)
    server.look()
    return server.peak


def test_sessions_of_the_database_and_their_workers_count(tmp_path: Path) -> None:
    with ExitStack() as stack:

        def start(size: int, title: str, name: str = "postgres") -> int:
            return stack.enter_context(process(tmp_path, name, CODE.format(size=size), title))

        session = start(40, f"postgres: someone {DATABASE} [local] UPDATE")
        alone = peak_of(DATABASE)
        assert alone is not None
        assert 40 * MIB < alone < 60 * MIB
        start(200, f"postgres: someone {DATABASE}1 [local] idle")
        start(200, f"postgres: autovacuum worker {DATABASE}")
        start(200, f"postgres: parallel worker for PID {session + 1}")
        start(200, f"psql {DATABASE}", name="psql")
        assert peak_of(DATABASE) == pytest.approx(alone, abs=1 * MIB)
        start(30, f"postgres: parallel worker for PID {session}")
        together = peak_of(DATABASE)
        assert together is not None
        assert 70 * MIB < together < 110 * MIB
        least, most = memory_of_session(session, "postgres", DATABASE) or (0, 0)
        assert least == pytest.approx(alone, abs=MIB)
        assert least < most
        assert memory_of_session(session, "postgres", "another") is None
    assert peak_of(DATABASE) is None
    assert memory_of_session(session, "postgres", DATABASE) is None


def test_memory_that_was_given_back_counts(tmp_path: Path) -> None:
    title = f"postgres: someone {DATABASE} [local] idle"
    with process(tmp_path, "postgres", GIVES_BACK.format(size=80), title) as session:
        least, most = memory_of_session(session, "postgres", DATABASE) or (0, 0)
        assert 80 * MIB < least < most


def test_what_may_have_come_and_gone_between_two_looks_is_told(tmp_path: Path) -> None:
    server = ServerProcesses("postgres", DATABASE)
    server.look()
    assert server.may_be_unseen(2.0) == 2048 * MIB
    title = f"postgres: someone {DATABASE} [local] idle"
    with process(tmp_path, "postgres", CODE.format(size=1), title):
        time.sleep(0.2)
        server.look()
        assert 200 * MIB < server.may_be_unseen(2.0) < 1024 * MIB


def test_to_look_takes_little_time(tmp_path: Path) -> None:
    title = f"postgres: someone {DATABASE} [local] idle"
    with process(tmp_path, "postgres", CODE.format(size=1), title):
        server, begin = ServerProcesses("postgres", DATABASE), time.process_time()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            server.look()
            time.sleep(0.01)
        assert time.process_time() - begin < 0.1
