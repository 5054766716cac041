"""MySQL's conditions on documents ask for the same rows as SQLite's."""

from __future__ import annotations

import pytest

from pytest_membudget.sql.normalize import Form
from pytest_membudget.sql.parse import read
from pytest_membudget.sql.statement import Filter

# As Django writes them, for MariaDB and for SQLite.
CONDITIONS = {
    "a value": (
        "JSON_UNQUOTE(JSON_EXTRACT(`d`, %s)) = JSON_UNQUOTE(JSON_EXTRACT(%s, '$'))",
        "JSON_EXTRACT(\"d\", %s) = JSON_EXTRACT(%s, '$')",
    ),
    "a key": ("JSON_CONTAINS_PATH(`d`, 'one', %s)", 'JSON_TYPE("d", %s) IS NOT NULL'),
}


def filters(condition: str, vendor: str) -> tuple[Filter, ...]:
    form = Form.read(f"SELECT a FROM b WHERE {condition}", vendor)
    statement = read(form.text, vendor)
    assert statement.understood
    return statement.filters


def asked(condition: str, vendor: str) -> list[object]:
    """The documents that a filter asks for, with its parameters."""
    form = Form.read(f"SELECT a FROM b WHERE {condition}", vendor)
    values = form.values(['$."kind"', '"x"'])
    [one] = filters(condition, vendor)
    return one.values(values)


@pytest.mark.parametrize(("mariadb", "sqlite"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_they_ask_for_the_same(mariadb: str, sqlite: str) -> None:
    assert asked(mariadb, "mysql") == asked(sqlite, "sqlite") != []
