"""Combinations stay different however the parents grow; the SQL is arithmetic that Python reads."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest

from pytest_membudget.seeding.references import ParentKeys
from pytest_membudget.seeding.sequences import Formula, Group, Sequence
from pytest_membudget.seeding.table import Table


def a_table(want: int = 0) -> Table:
    return Table(cast("Any", None), cast("Any", None), existing=0, want=want)


def a_group(*sequences: Sequence, alike: str = "") -> Group:
    return Group({str(place): one for place, one in enumerate(sequences)}, alike)


def rows_of(group: Group, numbers: range) -> list[tuple[int, ...]]:
    sql = ", ".join(group.index(member)("i") for member in group.members)
    row = eval(f"lambda i: ({sql.replace('/', '//')},)", {})
    return [row(i) for i in numbers]


@pytest.mark.parametrize("chance", range(40))
def test_no_combination_twice(chance: int) -> None:
    rng = random.Random(chance)
    table = a_table()
    parents = [a_table() for _ in range(rng.randint(1, 3))]
    sequences: list[Any] = [ParentKeys(parent, cast("Any", None)) for parent in parents]
    sequences += [Formula(rng.randint(2, 4), str) for _ in range(rng.randint(0, 2))]
    rng.shuffle(sequences)
    group = a_group(*sequences, alike=rng.choice(["", "0", "12"]))
    seen: set[tuple[int, ...]] = set()
    for _ in range(5):
        table.want += rng.randint(1, 300)
        for parent in parents:
            parent.want += rng.choice([0, 0, 1, rng.randint(1, 60)])
            parent.want = max(1, parent.want)
        group.demand(table.have, table.want)
        group.place(table.have, table.want)
        for row in rows_of(group, range(table.have + 1, table.want + 1)):
            assert all(1 <= n <= s.size for n, s in zip(row, sequences, strict=True))
            seen.add(row)
        group.grown()
        table.have = table.want
        assert len(seen) == table.have


def test_each_parent_has_children_and_each_value_occurs() -> None:
    users, teams = a_table(100), a_table(10)
    group = a_group(*(ParentKeys(parent, cast("Any", None)) for parent in (users, teams)))
    group.place(0, 200)
    rows = rows_of(group, range(1, 201))
    assert {user for user, _ in rows} == set(range(1, 101))
    assert {team for _, team in rows} == set(range(1, 11))


def test_values_that_are_alike_in_all_rows_that_refer_to_different_ones() -> None:
    pages = a_table(100)
    group = a_group(Formula(10**9, str), ParentKeys(pages, cast("Any", None)), alike="0")
    group.place(0, 150)
    rows = rows_of(group, range(1, 151))
    assert rows[:100] == [(1, page) for page in range(1, 101)]
    assert rows[100:] == [(2, page) for page in range(1, 51)]
