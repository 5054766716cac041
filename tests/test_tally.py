"""Statements are told apart by what they ask for, and put together where they are one."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.worker.high_water import Phases
from pytest_membudget.worker.tally import Tally

ORDERS = 'SELECT "o"."id" FROM "o" WHERE '
STATUS = f'{ORDERS}"o"."status" = %s'
IDS = f'{ORDERS}"o"."kind_id" IN ({", ".join(["%s"] * 30)})'


@pytest.fixture
def tally(tmp_path: Any) -> Tally:
    return Tally({"o": [["id"], ["year", "number"]]}, str(tmp_path / "overflow"), Phases())


def send(tally: Tally, sql: str, *parameters: Any, rows: int = 0) -> None:
    statement = tally.statement(sql, parameters)
    statement.rows += rows
    statement.looked = True


def test_values_are_apart(tally: Tally) -> None:
    send(tally, STATUS, "new", rows=10)
    send(tally, STATUS, "legacy")
    assert tally.filters() == {"o": {"status": ["new", "legacy"]}}
    assert tally.unmatched() == {'FROM "o" WHERE "o"."status" = %s': 1}


def test_texts_in_a_statement_are_apart(tally: Tally) -> None:
    send(tally, "SELECT id FROM o WHERE status = 'new'", rows=10)
    send(tally, "SELECT id FROM o WHERE status = 'legacy'")
    assert tally.unmatched() == {"FROM o WHERE status = %s": 1}


def test_statements_for_each_row_are_one(tally: Tally) -> None:
    for number in range(50):
        send(tally, STATUS, f"status {number}", rows=number == 30)
    assert tally.filters() == {"o": {}}
    assert tally.unmatched() == {}


def test_pages_are_one(tally: Tally) -> None:
    send(tally, f'{ORDERS}"o"."id" > 0 LIMIT 1000 OFFSET 0', rows=1000)
    send(tally, f'{ORDERS}"o"."id" > 0 LIMIT 1000 OFFSET 1000')
    assert tally.unmatched() == {}


def test_a_short_last_chunk_is_one_of_the_chunks(tally: Tally) -> None:
    send(tally, IDS, *range(30), rows=60)
    send(tally, f'{ORDERS}"o"."kind_id" IN (%s, %s)', 31, 32)
    assert tally.unmatched() == {}


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ('"o"."id" = %s', [1]),
        ('"o"."id" IN (%s, %s)', [1, 2]),
        ('"o"."year" = %s AND "o"."number" = %s', [1, 2]),
    ],
)
def test_single_rows_may_be_missing(tally: Tally, condition: str, parameters: list[int]) -> None:
    send(tally, ORDERS + condition, *parameters)
    assert tally.unmatched() == {}


def test_savepoints_crowd_nothing_out(tally: Tally) -> None:
    for number in range(2000):
        tally.statement(f'SAVEPOINT "s1_x{number}"')
    send(tally, STATUS, "legacy")
    assert len(tally.unmatched()) == 1
