"""Combinations stay different however the parents grow; the SQL is arithmetic that Python reads."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_membudget.seeding.columns import Picked, Rows
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.table import Table
from pytest_membudget.seeding.unique_together import Group


def a_table(want: int = 0) -> Table:
    return Table(cast("Any", None), cast("Any", None), existing=0, want=want)


def a_member(domain: Any) -> Picked:
    return Picked(cast("Any", SimpleNamespace(name="field")), "field", domain=domain, index=str)


@pytest.mark.parametrize("chance", range(40))
def test_no_combination_twice(chance: int) -> None:
    dice = random.Random(chance)
    table = a_table()
    parents = [a_table() for _ in range(dice.randint(1, 3))]
    domains: list[Any] = [Rows(parent, cast("Any", None)) for parent in parents]
    domains += [Formula(dice.randint(2, 4), str) for _ in range(dice.randint(0, 2))]
    dice.shuffle(domains)
    group = Group(table, [a_member(domain) for domain in domains])
    seen: set[tuple[int, ...]] = set()
    for _ in range(5):
        table.want += dice.randint(1, 300)
        for parent in parents:
            parent.want += dice.choice([0, 0, 1, dice.randint(1, 60)])
            parent.want = max(1, parent.want)
        group.demand()
        group.place()
        for i in range(table.have + 1, table.want + 1):
            row = tuple(
                eval(member.index(str(i)).replace("/", "//"), {}) for member in group.members
            )
            assert all(1 <= n <= d.size for n, d in zip(row, domains, strict=True))
            seen.add(row)
        group.grown()
        table.have = table.want
        assert len(seen) == table.have


def test_each_parent_has_children_and_each_value_occurs() -> None:
    table, users, teams = a_table(200), a_table(100), a_table(10)
    group = Group(table, [a_member(Rows(parent, cast("Any", None))) for parent in (users, teams)])
    group.place()
    rows = [
        tuple(eval(member.index(str(i)).replace("/", "//"), {}) for member in group.members)
        for i in range(1, 201)
    ]
    assert {user for user, _ in rows} == set(range(1, 101))
    assert {team for _, team in rows} == set(range(1, 11))
