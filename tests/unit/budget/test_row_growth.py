"""What is stated beside a budget: the growth of production, and what pyproject.toml says of one."""

from __future__ import annotations

import pytest

from pytest_membudget.budget.readers import read_row_growth
from pytest_membudget.errors import BudgetError


@pytest.mark.parametrize(
    ("text", "factor", "until"),
    [
        ("5% a month", 2.0, "about 14 months"),
        ("100 % per year", 2.0, "about 1 year"),
        ("2.5% a week", 1.01, "less than a week"),
    ],
)
def test_the_time_until_rows_are_so_many_times_as_many(
    text: str, factor: float, until: str
) -> None:
    assert read_row_growth(text).until(factor) == until


@pytest.mark.parametrize("text", ["5", "0% a month", "5% a fortnight", "a lot"])
def test_what_is_no_growth_is_refused(text: str) -> None:
    with pytest.raises(BudgetError, match='write "5% a month"'):
        read_row_growth(text)
