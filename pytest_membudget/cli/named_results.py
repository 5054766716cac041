"""The results that a name means: the id of a test, or a migration as a marker has it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_membudget.budget.readers import is_dotted
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.texts import shown

_MOST_NAMES = 10


def named_results(results: Sequence[Result], what: str, file: str) -> list[Result]:
    """Those of one migration.  Raises BudgetError where it is none or several of ``file``."""
    if found := [one for one in results if one.nodeid == what]:
        return found[-1:]
    found = [one for one in results if one.migration == what]
    if not found and is_dotted(what):
        found = [one for one in results if one.migration.startswith(what)]
    names = list(dict.fromkeys(one.migration for one in found or results))
    if not found:
        raise BudgetError(f"{file} has no result of {shown(what)}; it has {listed(names)}")
    if len(names) > 1:
        raise BudgetError(f"{shown(what)} may be {listed(names)}; write more of the name")
    return found


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES]) or 'none'}{more}"
