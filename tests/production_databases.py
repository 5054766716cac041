"""Two databases beside a test project that stand for production's, filled with real rows."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from servers import MariaDB, Server

SQL = """
CREATE TABLE shop_order (id integer, note text);
INSERT INTO shop_order VALUES (1, 'real'), (2, 'rows');
"""


class ProductionDatabases:
    """``names`` are the NAMEs of what the settings name, and of another one.

    They are SQLite files in ``folder``, or databases of ``server`` where there is one.
    """

    def __init__(self, folder: Path, server: Server | MariaDB | None) -> None:
        self._folder = folder
        self.server = server
        if server is None:
            first, other = folder / "production.sqlite3", folder / "other.sqlite3"
            self.names = str(first), str(other)
        else:
            self.names = "production", "other"

    def create(self) -> None:
        self.drop()
        for name in self.names:
            if self.server is None:
                connection = sqlite3.connect(name)
                connection.executescript(SQL)
                connection.close()
                continue
            if isinstance(self.server, MariaDB):
                self.server.query(f"CREATE DATABASE {name}")
                self.server.query(SQL, name)
                continue
            with self.server.connect() as admin:
                admin.execute(f"CREATE DATABASE {name}")
            with self.server.connect(name) as connected:
                connected.execute(SQL)

    def drop(self) -> None:
        """From the server; the files go with their folder."""
        if isinstance(self.server, MariaDB):
            for name in self.names:
                self.server.query(f"DROP DATABASE IF EXISTS {name}")
        elif self.server is not None:
            with self.server.connect() as admin:
                for name in self.names:
                    admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def fingerprint(self) -> object:
        """Of every SQLite file in the project, also of one that a migration has made."""
        if isinstance(self.server, MariaDB):
            return [_of_schema(self.server, name) for name in self.names]
        if self.server is not None:
            return [_of_database(self.server, name) for name in self.names]
        return {
            path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in self._folder.glob("*.sqlite3*")
        }


def _of_schema(server: MariaDB, name: str) -> object:
    tables = server.query(f"SHOW TABLES FROM {name}")
    return [(table, server.query(f"SELECT * FROM `{table}`", name)) for (table,) in tables]


def _of_database(server: Server, name: str) -> object:
    with server.connect(name) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema "
            "NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ).fetchall()
        return [
            (schema, table, connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall())
            for schema, table in tables
        ]
