"""What a model's constraints say: which fields are unique together, which rows are forbidden."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any, cast

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col, Value
from django.db.models.sql import Query

from pytest_membudget.seeding.dialects.base import Dialect, Field
from pytest_membudget.seeding.fields.words import words

Model = type[models.Model]

_LONGEST = 10_000


@dataclass(frozen=True)
class Unique:
    """Fields whose values may occur together once. ``exact`` is False for expressions on them."""

    fields: tuple[str, ...]
    condition: models.Q | None = None
    nulls_distinct: bool = True
    exact: bool = True


@dataclass(frozen=True)
class Rule:
    """An SQL condition on a row's columns that no row may fulfil."""

    name: str
    broken: str
    fields: frozenset[str]
    literals: tuple[Any, ...]


def is_generated(field: Field) -> bool:
    """Does the database compute the column? Django has such fields from 5.0 on."""
    return getattr(field, "generated", False)


def uniques(model: Model) -> list[Unique]:
    """The narrowest first, since a set that holds inside of a wider one settles that one too."""
    found = [
        Unique(_sources([field.name], model), exact=not is_generated(field))
        for field in model._meta.local_concrete_fields
        if field.unique
    ]
    if len(keys := getattr(model._meta, "pk_fields", ())) > 1:
        found.append(Unique(tuple(field.name for field in keys)))
    found += [Unique(tuple(names)) for names in model._meta.unique_together]
    for constraint in model._meta.constraints:
        condition = getattr(constraint, "condition", None)
        if isinstance(constraint, models.UniqueConstraint):
            expressions = list(constraint.expressions)
            names = _sources(constraint.fields or _named(expressions, model), model)
            nulls_distinct = getattr(constraint, "nulls_distinct", None) is not False
            found.append(Unique(names, condition, nulls_distinct, not expressions))
        elif type(constraint).__name__ == "ExclusionConstraint":
            found.append(Unique(_sources(_apart(constraint, model), model), condition))
    # A historical model holds unique_together as a set, which has no order of its own.
    return sorted(found, key=lambda unique: (len(unique.fields), unique.fields))


def every_unique(model: Model, connection: BaseDatabaseWrapper) -> list[Unique]:
    """Those of the model, and those that only the database has, which SQL has made."""
    known = uniques(model)
    names = {str(field.column): field.name for field in model._meta.local_concrete_fields}
    declared = {one.name for one in (*model._meta.constraints, *model._meta.indexes)}
    found = {frozenset(one.fields) for one in known}
    with connection.cursor() as cursor:
        its = connection.introspection.get_constraints(cursor, model._meta.db_table)
    for name, constraint in its.items():
        if not constraint["unique"] or name in declared:
            continue
        columns, text = constraint["columns"], constraint.get("definition")
        if text:  # it has expressions, whose columns are only in there
            columns = [one for one in names if re.search(rf"\b{re.escape(one)}\b", text)]
        if not columns or any(one not in names for one in columns):
            continue
        fields = _sources([names[one] for one in columns], model)
        if frozenset(fields) not in found:
            known.append(Unique(fields, exact=not text))
    return sorted(known, key=lambda unique: (len(unique.fields), unique.fields))


def rules(model: Model, dialect: Dialect) -> list[Rule]:
    return [
        # The attribute is ``check`` before Django 5.1.
        rule(constraint.name, vars(constraint).get("condition") or constraint.check, model, dialect)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    ]


def rule(
    name: str, condition: Any, model: Model, dialect: Dialect, broken: str = "NOT ({})"
) -> Rule:
    """The rule that ``broken`` makes of a condition; NOT outside of it leaves NULL alone."""
    query = Query(model, alias_cols=False)
    where, connection = query.build_where(condition), dialect.connection
    sql, parameters = where.as_sql(query.get_compiler(connection=connection), connection)
    return Rule(
        name,
        broken.format(sql % tuple(dialect.literal(parameter) for parameter in parameters)),
        frozenset(node.target.name for node in _nodes(where) if isinstance(node, Col)),
        tuple(literal for node in _nodes(where) for literal in _literals(node)),
    )


def _named(expressions: Iterable[Any], model: Model) -> list[str]:
    """The names of the fields in some expressions."""
    query = Query(model, alias_cols=False)
    found = [models.F(one) if isinstance(one, str) else one for one in expressions]
    nodes = [node for one in found for node in _nodes(one.resolve_expression(query))]
    return list(dict.fromkeys(node.target.name for node in nodes if isinstance(node, Col)))


def _nodes(node: Any) -> Iterator[Any]:
    """All parts of a resolved expression."""
    yield node
    for part in node.get_source_expressions() if hasattr(node, "get_source_expressions") else ():
        yield from _nodes(part)


def _literals(node: Any) -> Iterable[Any]:
    """The constants that a part of a condition compares with."""
    found = getattr(node, "value" if isinstance(node, Value) else "rhs", None)
    found = found if isinstance(found, list | tuple | set | frozenset) else [found]
    return [one for one in found if one is not None and not hasattr(one, "resolve_expression")]


def _sources(names: Iterable[str], model: Model) -> tuple[str, ...]:
    """The fields themselves, or those that a generated one is made of."""
    found: list[str] = []
    for name in names:
        field: Any = model._meta.get_field(name)
        parts = _named([field.expression], model) if is_generated(field) else ()
        found += _sources(parts, model) or [name]
    return tuple(dict.fromkeys(found))


def _apart(constraint: Any, model: Model) -> Iterable[str]:
    """The fields each of which can keep rows apart that an exclusion constraint compares."""
    names = [(_named([part], model), operator) for part, operator in constraint.expressions]
    ranges = [
        n[0] for n, _ in names if len(n) == 1 and hasattr(model._meta.get_field(n[0]), "range_type")
    ]
    equal = [name for n, operator in names if operator == "=" for name in n]
    return [*ranges, *equal] or [name for n, _ in names for name in n]


def candidates(field: Field, rule: Rule) -> list[Any]:
    """Values at, beside and between the constants of a rule, where the field can hold them."""
    found: list[Any] = []
    for literal in rule.literals:
        found.append(literal)
        if isinstance(literal, dt.date):
            found += [literal + dt.timedelta(days=1), literal - dt.timedelta(days=1)]
        elif isinstance(literal, int | float | Decimal) and not isinstance(literal, bool):
            around = [literal, literal + 1, literal - 1]
            # The number may be a length, asked of a text.
            lengths = (min(max(int(length), 0), _LONGEST) for length in around)
            found += [*around[1:], *(words(length, Random(1), "-") for length in lengths)]
    numbers = sorted(float(n) for n in found if isinstance(n, int | float | Decimal))
    for low, high in pairwise(numbers):
        found += [round(low + (high - low) * part / 20, 2) for part in range(1, 20)]
    allowed = []
    for value in found:
        # Whatever a field raises for a value, that value is not for it.
        with suppress(Exception):
            allowed.append(field.clean(value, cast("Any", None)))
    return allowed
