"""Where the row counts come from: a marker, the command line, the profile, the ini file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_membudget.budget.options import COMMAND_LINE, MARKER, Options, Setting
from pytest_membudget.budget.request import Request
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.production import EVERY_OTHER, Production

if TYPE_CHECKING:
    from pytest_membudget.profile.document import Profile


def read_production(options: Options) -> Production:
    """The profile, and what was stated beside it; a stated row count of the command line wins."""
    known: dict[str, Any] = {}
    if options.rows is not None:
        by_hand = options.rows.source == COMMAND_LINE
        known = {"stated" if by_hand else "fallback": options.rows.value}
    if options.profile is None:
        return Production(**known)
    from pytest_membudget.profile.shape import row_counts, shape, value_shares

    path = options.profile.value
    profile = _profile(path)
    known |= {"shape": shape(profile), "shares": value_shares(profile)}
    return Production(path, row_counts(profile), **known)


@cache
def _profile(path: str) -> Profile:
    from pytest_membudget.profile.document import read_profile

    return read_profile(path)


def rows_to_seed(
    request: Request, options: Options, production: Production, *, gated: bool
) -> Setting[Mapping[str, int]] | None:
    """The rows to seed; None where dry runs have to find out which tables they are of."""
    if request.rows is not None:
        return Setting(request.rows, MARKER)
    if options.rows is None and production.profile is None:
        raise BudgetError(
            "no rows: set production's row counts with a profile, which `membudget profile` "
            'writes, with rows={"app_label.Model": 1_700_000}, --membudget-rows or membudget_rows'
        )
    stated = options.rows
    if gated or production.profile is not None or stated is None:
        return None
    return None if EVERY_OTHER in stated.value else stated


@cache
def sampled_tables(path: str) -> frozenset[str]:
    """The tables of a file of masked rows, but for those without any.  Raises BudgetError."""
    from pytest_membudget.rows.document import read_rows_file

    return frozenset(name for name, table in read_rows_file(path).tables.items() if table.rows)
