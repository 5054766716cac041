"""Servers of the tests' own: PostgreSQL from PyPI's binaries or the machine's, its MariaDB."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import machine
import psycopg
import pymysql

from pytest_membudget.database.programs import Programs, all_programs
from pytest_membudget.processes.embedded.cluster import Cluster, stop


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    user: str = "postgres"
    password: str = "membudget"
    dbname: str = "postgres"

    @property
    def environment(self) -> dict[str, str]:
        """What libpq and the test projects' settings read."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
        }

    def database(self, name: str, **more: Any) -> dict[str, Any]:
        """Django's settings of a database."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "HOST": self.host,
            "PORT": self.port,
            "USER": self.user,
            "PASSWORD": self.password,
            **more,
        }

    def connect(self, dbname: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(**{**asdict(self), "dbname": dbname}, autocommit=True)


@contextmanager
def postgresql(*, standby: bool = False, fsync: bool = False) -> Iterator[Server]:
    """Start a server in a temporary folder, as an unprivileged user when run by root.

    A ``standby`` is in recovery, and waits for a primary that there is not.  With ``fsync`` it has
    PostgreSQL's defaults.
    """
    # Its socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    server = Server("127.0.0.1", _free_port())
    try:
        password = folder / "password"
        password.write_text(server.password)
        cluster = Cluster(_programs(), folder)
        cluster.initialize("--auth=scram-sha-256", f"--pwfile={password}")
        if standby:
            (cluster.data / "standby.signal").touch()
        settings = {
            "port": str(server.port),
            "unix_socket_directories": str(folder),
            "listen_addresses": "127.0.0.1",
            "fsync": "on" if fsync else "off",
            "max_prepared_transactions": "4",
        }
        process = cluster.start(settings)
        try:
            yield server
        finally:
            stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class MariaDB:
    """A server that only its socket leads to."""

    socket: Path
    user: str = "root"

    @property
    def environment(self) -> dict[str, str]:
        """What the test projects' settings read."""
        return {"MARIADB_SOCKET": str(self.socket), "MARIADB_USER": self.user}

    def database(self, name: str, **more: Any) -> dict[str, Any]:
        """Django's settings of a database."""
        own = {"NAME": name, "HOST": str(self.socket), "USER": self.user}
        return {"ENGINE": "django.db.backends.mysql", **own, **more}

    def connect(self, name: str | None = None, **more: Any) -> pymysql.Connection:
        own = {"unix_socket": str(self.socket), "user": self.user, "database": name}
        return pymysql.connect(**{**own, "autocommit": True, **more})

    def query(self, sql: str, name: str | None = None, **more: Any) -> list[Any]:
        """The rows of the last of some statements, in a session of their own."""
        with self.connect(name, **more) as session, session.cursor() as cursor:
            for one in filter(None, map(str.strip, sql.split(";\n"))):
                cursor.execute(one)
            return list(cursor.fetchall())

    @property
    def options(self) -> list[str]:
        """What its client programs are called with."""
        return ["--no-defaults", f"--user={self.user}", f"--socket={self.socket}"]


@contextmanager
def mariadb(*options: str) -> Iterator[MariaDB]:
    """Start a server in a temporary folder, as whoever runs this; it has further ``options``."""
    folder = Path(tempfile.mkdtemp(prefix="my-", dir="/tmp"))
    user = pwd.getpwuid(os.geteuid()).pw_name
    server = MariaDB(folder / "socket", user)
    # A server that starts removes the temporary tables of others from their common folder.
    data = [f"--user={user}", f"--datadir={folder / 'data'}", f"--tmpdir={folder}"]
    # fmt: off
    try:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *data, "--skip-test-db",
             "--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"],
            check=True, stdout=subprocess.DEVNULL,
        )
        process = subprocess.Popen(
            ["mariadbd", "--no-defaults", *data, "--skip-log-bin", "--skip-networking",
             f"--socket={server.socket}", f"--pid-file={folder / 'pid'}", *options],
            stderr=subprocess.DEVNULL,
        )
        # fmt: on
        try:
            ping = ["mariadb-admin", *server.options, "--wait=50", "--silent", "ping"]
            subprocess.run(ping, check=True, timeout=60)
            yield server
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def programs() -> Path:
    """PostgreSQL's: the machine's own where there are any, which have the contrib extensions too.

    On a fresh machine, see machine.py, they are those from PyPI.
    """
    return _programs().folder


def _programs() -> Programs:
    own = [] if machine.FRESH else [one for one in all_programs() if not one.files]
    found = own or [one for one in all_programs() if one.files]
    if not found:
        raise RuntimeError("no PostgreSQL: install the test extras, or Debian's postgresql")
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run a command with a server's address in its environment.

    ``servers.py pytest ...`` starts PostgreSQL, ``servers.py mariadb pytest ...`` MariaDB.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    command, start = sys.argv[1:], postgresql
    if command[0] == "mariadb":
        command, start = command[1:], mariadb
    with start() as server:
        return subprocess.call(command, env={**os.environ, **server.environment})


if __name__ == "__main__":
    sys.exit(main())
