"""The tables of a check: how many rows were seeded, where that is from, what was read, written."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.figures import Rows
from pytest_membudget.sample import Sample

_OWN = {"django_migrations"}


@dataclass(frozen=True)
class TableFigures:
    """One table in the largest sample.  ``label`` is its model's, None where that is not known.

    ``rows_source`` says where its row count in production comes from; None of rows that others
    refer to, or that were there before.
    """

    table: str
    label: str | None = None
    rows_seeded: Rows = 0
    rows_source: str | None = None
    rows_read: Rows = 0
    rows_written: Rows = 0


def tables_of(evidence: Evidence, sample: Sample) -> tuple[TableFigures, ...]:
    """Those that were seeded or accessed, the one with the most rows first."""
    run, rows = sample.run, {**sample.rows, **sample.seeded}
    labels = {table: label for label, table in {**sample.tables, **evidence.tables}.items()}
    accessed = {*run.read, *run.written, *run.accessed_tables}
    found = (
        TableFigures(
            table,
            label=label,
            rows_seeded=rows.get(label, 0) if label else 0,
            rows_source=evidence.rows_source(label) if label in evidence.budget.rows else None,
            rows_read=run.read.get(table, 0),
            rows_written=run.written.get(table, 0),
        )
        for table in {*labels, *accessed} - _OWN
        for label in [labels.get(table)]
    )
    return tuple(sorted(found, key=lambda one: (-one.rows_seeded, one.table)))
