"""The read-only SQL that takes a profile, for each kind of database."""

from __future__ import annotations

from importlib.resources import files

from pytest_membudget.errors import BudgetError

VENDORS = ("postgresql", "mysql", "sqlite")

# A statement that must name the tables of the database is written by another one.
_WRITES_SQL = {("mysql", True), ("sqlite", False), ("sqlite", True)}
_CLIENTS = {
    "postgresql": "psql -XAtq -d production",
    "mysql": "mysql --batch --raw --skip-column-names --default-character-set=utf8mb4 production",
    "sqlite": "sqlite3 -readonly -list -noheader production.sqlite3",
}
# A transaction in which the database itself refuses to write.
BEGIN = {
    "postgresql": (
        "BEGIN TRANSACTION READ ONLY",
        "SET LOCAL client_encoding = 'UTF8'",
        # Of what a WITH query finds the planner expects a few rows, and would compare each column
        # of the database with each other one; without that, it takes compiling to be worth it.
        "SET LOCAL enable_nestloop = off",
        "SET LOCAL jit = off",
    ),
    "mysql": ("START TRANSACTION READ ONLY",),
    "sqlite": ("PRAGMA query_only = ON", "BEGIN"),
}
COMMIT = "COMMIT"
# The frequencies of values are in no other catalogue.
_WITH_FREQUENCIES = "postgresql"
_HEADER = """\
-- The production profile of pytest-membudget, as JSON.  Read-only: it
-- {how}.  {values}
--
--   {command} > membudget.json
"""


def statement(vendor: str, *, exact: bool, shares: bool = False) -> str:
    """One SELECT, whose rows are the lines of the profile, or of :func:`writes_sql`."""
    if vendor not in VENDORS:
        raise BudgetError(
            f"membudget profile does not support {vendor}; it supports {', '.join(VENDORS)}"
        )
    if shares and vendor != _WITH_FREQUENCIES:
        raise BudgetError(
            "--shares is for PostgreSQL, whose catalogue has the frequencies of common values; "
            f"that of {vendor} has none"
        )
    folder = files(__package__) / "sql" / vendor
    names = ("tables", "scan" if exact else "catalogue", "document")
    found = [folder / f"{name}.sql" for name in names]
    text = "".join(part.read_text("utf-8") for part in found if part.is_file())
    of_values = (folder / "shares.sql").read_text("utf-8").rstrip() if shares else "NULL"
    text = text.replace("{shares}", of_values)
    return text.replace("{exact}", "true" if exact else "false").rstrip()


def writes_sql(vendor: str, *, exact: bool) -> bool:
    """Whether the statement's rows are lines of SQL, whose rows are the profile."""
    return (vendor, exact) in _WRITES_SQL


def script(vendor: str, *, exact: bool, shares: bool = False) -> str:
    """What the database's own client runs in production."""
    body = f"{statement(vendor, exact=exact, shares=shares)};\n"
    begin = "".join(f"{one};\n" for one in BEGIN[vendor])
    if writes_sql(vendor, exact=exact):
        body = f"SELECT '{begin.strip()}';\n\n{body}\nSELECT '{COMMIT};';\n"
    return f"{_header(vendor, exact, shares)}\n{begin}\n{body}\n{COMMIT};\n"


def _header(vendor: str, exact: bool, shares: bool) -> str:
    client = _CLIENTS[vendor]
    command = f"{client} < profile.sql"
    if writes_sql(vendor, exact=exact):
        # The same client runs what the script has written.
        command += f" |\n--     {client}"
    how = "scans each table once and returns counts and sums"
    values = "No value of any row is in its output."
    if shares:
        values = "In its output are hashes of\n-- values that many rows have, and no value itself."
    return _HEADER.format(
        command=command,
        how=how if exact else "queries only the catalogue and scans no table",
        values=values,
    )
