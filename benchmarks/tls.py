"""How much memory a connection to PostgreSQL takes in a process, with TLS and without.

    python benchmarks/tls.py

It starts a server of its own and needs the program openssl.  The figures are in docs/postgresql.md.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import servers

PROCESS = """
import sys
import psycopg
conninfo, rows = sys.argv[1:]
with psycopg.connect(conninfo) as connection:
    connection.execute(f"SELECT repeat('x', 100) FROM generate_series(1, {rows})").fetchall()
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""
ROWS = 1, 200_000
REPEATS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, servers.postgresql() as server:
        _certify(server, Path(folder))
        for rows in ROWS:
            for mode in ("disable", "require"):
                peaks = [_peak(server, mode, rows) for _ in range(REPEATS)]
                print(f"{rows:>9,} rows, sslmode={mode}: {statistics.median(peaks):.1f} MiB")


def _certify(server: servers.Server, folder: Path) -> None:
    """Have the server accept TLS, with a certificate that it signs itself."""
    certificate, key = folder / "certificate", folder / "key"
    subprocess.run(
        ["openssl", "req", "-new", "-x509", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    with server.connect() as connection:
        for file in (certificate, key):
            # The server writes its own copies, which belong to the user that it runs as.
            connection.execute("CREATE TABLE file (line text)")
            for line in file.read_text().splitlines():
                connection.execute("INSERT INTO file VALUES (%s)", [line])
            program = f"umask 077; cat > {file.name}"
            connection.execute(f"COPY file TO PROGRAM '{program}'")
            connection.execute("DROP TABLE file")
        connection.execute("ALTER SYSTEM SET ssl_cert_file = 'certificate'")
        connection.execute("ALTER SYSTEM SET ssl_key_file = 'key'")
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")


def _peak(server: servers.Server, mode: str, rows: int) -> float:
    conninfo = (
        f"host={server.host} port={server.port} user={server.user} password={server.password} "
        f"dbname={server.dbname} sslmode={mode}"
    )
    command = [sys.executable, "-c", PROCESS, conninfo, str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


if __name__ == "__main__":
    main()
