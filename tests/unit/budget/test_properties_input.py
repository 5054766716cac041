"""Properties of what users write: sizes, rows, times, growth, the arguments of a marker.

tests/properties.py says how to try more examples.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import HIDDEN, anything, read, texts, tried

from pytest_membudget.budget.readers import (
    LEAST_LIMIT,
    read_limit,
    read_output_path,
    read_row_growth,
    read_rows,
    read_rows_lines,
)
from pytest_membudget.budget.request import read_marker
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import log_text, shown, visible
from pytest_membudget.units import (
    LONGEST,
    MOST,
    format_interval,
    format_rows,
    format_seconds,
    format_size,
    parse_rows,
    parse_seconds,
    parse_size,
    round_rows_down,
)

DIGITS = st.integers(0, 10**5).map(str) | st.sampled_from(["9" * 400, "9" * 5000, "1e9", "1_0"])
UNITS = st.sampled_from(["", "Ki", "Mi", "Gi", "Ti", "k", "M", "TB"])
NUMBERS = (
    anything
    | st.sampled_from([10**400, -(10**400), 1 << 63])
    | st.from_regex(r"\s?\d{1,3}([_,]\d{3})*(\.\d+)?\s?([kKMGT]i?)?B?\s?", fullmatch=True)
    | st.builds("{}{}".format, DIGITS, UNITS)
)


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


VALUES = NUMBERS | st.tuples(texts, texts)
# What hypothesis itself could not show.
AWKWARD = {"rude": Rude(), "deep": nested(5000), "long": 10**5000, "negative": -(10**5000)}


@tried
@given(VALUES)
def test_an_amount_is_read_or_refused_and_quoted(value: Any) -> None:
    if (size := read(lambda: parse_size(value))) is not None:
        assert type(size) is int
        assert 0 < size <= MOST
        about = parse_size(format_size(size).replace(" ", ""))
        assert about == pytest.approx(size, rel=0.05)
    limit = read(lambda: read_limit(value))
    assert limit is None or limit == "cgroup" or LEAST_LIMIT <= limit <= MOST
    if (rows := read(lambda: parse_rows(value))) is not None:
        assert type(rows) is int
        assert 0 <= rows <= MOST
        assert parse_rows(format_rows(rows)) == rows
        assert rows * 0.99 <= round_rows_down(rows) <= rows
    if (seconds := read(lambda: parse_seconds(value))) is not None:
        assert 0 < seconds <= LONGEST
        assert format_seconds(seconds)
    quoted = shown(value)
    assert not re.search(r"[\n\t]", quoted)
    assert not HIDDEN.search(quoted)
    assert len(quoted) < 500


@tried
@given(st.integers(1, LEAST_LIMIT - 1), st.sampled_from(["", "k", "Ki", "B"]))
def test_a_suggested_limit_is_one(number: int, unit: str) -> None:
    try:
        read_limit(f"{number}{unit}")
    except BudgetError as error:
        meant = re.search(r"did you mean (\S+)\?", str(error))
        assert meant is None or read_limit(meant[1]) >= 32 * 1024**2


@tried
@given(st.lists(st.floats(0, float(MOST)), min_size=3, max_size=3).map(sorted))
def test_an_interval_can_be_printed(sizes: list[float]) -> None:
    assert format_interval(*sizes)


@tried
@given(VALUES | st.dictionaries(texts | st.just("shop.Order"), NUMBERS, max_size=3))
def test_rows_of_models_are_read_or_refused(value: Any) -> None:
    rows = read(lambda: read_rows(value))
    assert rows is None or all(0 <= count <= MOST for count in rows.values())


@tried
@given(
    st.builds("{}{} a {}".format, DIGITS | texts, texts | st.just("%"), st.just("month")),
    st.lists(texts | st.builds("{}={}".format, texts | st.just("a.B"), DIGITS), max_size=3),
    texts,
)
def test_a_text_is_read_or_refused(growth: str, rows: list[str], path: str) -> None:
    if stated := read(lambda: read_row_growth(growth)):
        assert stated.until(2.0)
        assert stated.until(1e18)
    read(lambda: read_rows_lines(rows))
    read(lambda: read_output_path(path))


ARGUMENTS = ("migration", "rows", "limit", "database", "seed", "grow", "reverse", "time_budget")


@tried
@given(
    st.lists(VALUES | st.just("shop.0002"), max_size=2),
    st.dictionaries(st.sampled_from(ARGUMENTS) | texts, VALUES, max_size=3),
)
def test_a_marker_is_read_or_refused(args: list[Any], kwargs: dict[str, Any]) -> None:
    request = read(lambda: read_marker(args, kwargs))
    assert request is None or request.migration


@pytest.mark.parametrize("value", AWKWARD.values(), ids=AWKWARD.keys())
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_awkward_value_is_refused(argument: str, value: Any) -> None:
    arguments = {"migration": "shop.0002", argument: value}
    assert read(lambda: read_marker((), arguments)) is None


@tried
@given(st.lists(texts | st.sampled_from(["::", "#", " ", "\n", "##vso[a]"])).map("".join))
def test_a_visible_text_has_no_control_characters_and_a_log_no_commands(text: str) -> None:
    seen = visible(text)
    assert not HIDDEN.search(seen)
    assert visible(seen) == seen
    seen.encode()
    for line in log_text(seen).splitlines():
        assert not line.strip().startswith("::")
        assert not re.search(r"##[\w-]*\[", line)
