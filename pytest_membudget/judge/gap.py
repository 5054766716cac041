"""What no sample says anything about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_membudget.finding import FindingCode
from pytest_membudget.units import format_rows


@dataclass(frozen=True)
class Gap:
    """Something that the migration did, or may do, of whose memory no sample says anything.

    ``sentence`` follows the migration's label in the first line of a failure, without a full stop:
    what was not seen, and what would show it.  ``only_adds`` says that it can only have made the
    peak higher, so that a verdict ``exceeds`` stands all the same.  ``migration`` is the label of
    the one that it is about, empty where that is not known.
    """

    code: FindingCode
    sentence: str
    only_adds: bool = False
    migration: str = ""


def unnamed_table(label: str, known: int | None, *, seed: bool = False) -> Gap:
    """A model whose rows are missing; ``known`` is its row count where production's is known."""
    rows = "N" if known is None else format_rows(known).replace(",", "_")
    if seed:
        missing = "which rows= does not name and seed= leaves empty"
        cure = f'create its rows in seed= and add "{label}": {rows} to rows= (0 for none)'
    else:
        missing = "which rows= does not name"
        if known is None:
            missing += " and whose production row count is unknown"
        cure = f'add "{label}": {rows} to rows= (0 for none)'
    return Gap(FindingCode.ROWS_UNNAMED, f"accesses {label}, {missing}; {cure}", only_adds=True)


def rows_unknown(models: Sequence[str], profile: str | None) -> Gap:
    """Models that the dry runs of a gate found, and that the profile does not have."""
    refresh = f"refresh {profile} or " if profile else ""
    return Gap(
        FindingCode.ROWS_UNNAMED,
        f"accesses {', '.join(models)}, whose production row count is unknown; {refresh}pass "
        f"--membudget-rows {models[0]}=N",
    )


def table_without_model(table: str) -> Gap:
    """A table that has no rows, and that no rows can be made for."""
    return Gap(
        FindingCode.TABLE_WITHOUT_MODEL,
        f"accesses the table {table}, which is empty and has no model, so it can't be seeded; "
        "create its rows with seed=",
        only_adds=True,
    )


def tables_without_model(tables: Sequence[str]) -> Gap:
    """The same of tables that the dry runs of a gate found."""
    return Gap(
        FindingCode.TABLE_WITHOUT_MODEL,
        f"accesses tables that have no model, so they can't be seeded: {', '.join(tables)}; write "
        "a test with the marker, rows= and a seed= that creates their rows",
    )


def statement_unread() -> Gap:
    """A statement that can't be parsed, where the time of the database has a limit."""
    return Gap(
        FindingCode.STATEMENT_UNREAD,
        "sends a statement whose tables are unknown, so how long the database takes for their rows "
        "is unknown; write a test with the marker and rows=",
        only_adds=True,
    )
