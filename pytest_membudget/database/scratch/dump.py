"""A PostgreSQL database as a text of SQL, which takes no program to be read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
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


def dump(cursor: Any, name: str, server: Mapping[str, str]) -> bytes | None:
    """The database without its mark; ``server`` is the embedded one, as Target has it.

    None where something has been changed in the server that a dump lacks, or with no ``pg_dump``.
    """
    cursor.execute(_BESIDE)
    if cursor.fetchone() != (0,):
        return None
    cursor.execute("SHOW server_version")
    version = cursor.fetchone()[0].partition(" ")[0]
    command = [
        str(find_programs(version).folder / "pg_dump"),
        *("--inserts", "--rows-per-insert=100", "--no-password"),
        *(f"--exclude-schema={MARK_SCHEMA}", f"--dbname={name}"),
        *(f"--host={server['HOST']}", f"--port={server['PORT']}", f"--username={server['USER']}"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else _META_COMMAND.sub(b"", done.stdout)
