"""A PostgreSQL database as a text of SQL, which takes no program to be read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_membudget.database.engine import MARK_SCHEMA
from pytest_membudget.database.programs import find_programs

# What a migration may change in the server besides its database.
_BESIDE = """
    SELECT (SELECT count(*) FROM pg_roles WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_tablespace WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_db_role_setting)
        + (SELECT count(*) FROM pg_prepared_xacts)
        + (SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf')
"""
# For psql alone.
_META_COMMAND = re.compile(rb"^\\(?:un)?restrict \w+$", re.MULTILINE)


def find_pg_dump(cursor: Any) -> Path:
    """The program of the server's own version.  Raises BudgetError where there are none of it."""
    cursor.execute("SHOW server_version")
    return find_programs(cursor.fetchone()[0].partition(" ")[0]).folder / "pg_dump"


def is_whole(cursor: Any) -> bool:
    """Whether nothing has been changed in the server that a dump of one database lacks."""
    cursor.execute(_BESIDE)
    return bool(cursor.fetchone() == (0,))


def dump(program: Path, name: str, server: Mapping[str, str]) -> bytes | None:
    """The database without its mark; ``server`` is the embedded one, as Target has it."""
    command = [
        *(str(program), "--inserts", "--rows-per-insert=100", "--no-password"),
        *(f"--exclude-schema={MARK_SCHEMA}", f"--dbname={name}"),
        *(f"--host={server['HOST']}", f"--port={server['PORT']}", f"--username={server['USER']}"),
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode else _META_COMMAND.sub(b"", done.stdout)
