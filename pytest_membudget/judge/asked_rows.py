"""What is said of rows that were seeded as the migration's filters ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.matching import of_all_rows, values_of
from pytest_membudget.profile.shares import Share
from pytest_membudget.units import format_share


def on_every_row(evidence: Evidence) -> str:
    """The columns with the values that every row has because the migration filters by them."""
    return values_of(of_all_rows(evidence.forced_values, evidence.shares), evidence.literals)


def assumptions(evidence: Evidence) -> Iterator[str]:
    """What may be otherwise in production."""
    if every := on_every_row(evidence):
        yield f"every row has {every}"
    for table, columns in evidence.shares.items():
        for name, its in columns.items():
            values = evidence.forced_values[table][name]
            found = evidence.production.shares.of(table, name, values) or ()
            if any(one.is_assumed for one in found):
                shown = values_of({table: {name: values}}, evidence.literals)
                yield f"as many as {format_share(sum(its))} of the rows have {shown}"
    for one in evidence.portions:
        if len(one.columns) > 1:
            shown = values_of({one.table: one.columns}, evidence.literals)
            yield f"the same rows have {shown}"


def stated(evidence: Evidence) -> str:
    """The shares of the rows that the profile has, with the values that these rows have."""
    shares = evidence.production.shares
    found = dict.fromkeys(
        f"{_share(shares.of(one.table, name, asked) or ())} of the rows have "
        f"{values_of({one.table: {name: asked}}, evidence.literals)}"
        for one in evidence.portions
        for name, asked in one.columns.items()
    )
    return " and ".join(found)


def _share(shares: Sequence[Share]) -> str:
    most = "at most " if any(one.is_assumed for one in shares) else ""
    return most + format_share(sum(one.seeded for one in shares))
