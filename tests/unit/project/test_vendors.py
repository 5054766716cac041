"""Calls that are reached on a database, by what an ``if`` says of its vendor."""

from __future__ import annotations

import ast

import pytest

from pytest_membudget.project.vendors import calls

SOURCE = """
always()
if connection.vendor == "postgresql":
    on_postgresql()
    if production:
        on_postgresql_in_production()
elif connection.vendor == "mysql" and not connection.mysql_is_mariadb:
    on_mysql()
else:
    operations = [elsewhere()]
operations = [in_list()] if schema_editor.connection.vendor in ("sqlite", "oracle") else []
if connection.vendor != "sqlite":
    may_be()
if production:
    perhaps()
"""
PERHAPS = {"always", "may_be", "perhaps"}


@pytest.mark.parametrize(
    ("vendor", "reached"),
    [
        ("postgresql", {"on_postgresql", "on_postgresql_in_production"}),
        ("mysql", {"on_mysql"}),
        ("sqlite", {"elsewhere", "in_list"}),
        ("oracle", {"elsewhere", "in_list"}),
    ],
)
def test_calls_are_those_that_the_vendor_reaches(vendor: str, reached: set[str]) -> None:
    assert names(vendor) == PERHAPS | reached


def test_without_a_vendor_they_are_all() -> None:
    assert len(names(None)) == 8


def names(vendor: str | None) -> set[str]:
    return {ast.unparse(call.func) for call in calls(ast.parse(SOURCE), vendor)}
