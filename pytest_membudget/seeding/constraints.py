"""What a model's constraints say: which fields are unique together, which rows are forbidden."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

from django.db import models
from django.db.models.expressions import Value
from django.db.models.sql import Query

from pytest_membudget.seeding.dialects.base import Dialect, Field

Model = type[models.Model]


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


def uniques(model: Model) -> list[Unique]:
    """The narrowest first, since a set that holds inside of a wider one settles that one too."""
    found = [
        Unique((field.name,))
        for field in model._meta.local_concrete_fields
        if field.unique and not isinstance(field, models.GeneratedField)
    ]
    found += [
        Unique(_sources([field.name], model), exact=False)
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.GeneratedField) and field.unique
    ]
    if len(keys := getattr(model._meta, "pk_fields", ())) > 1:
        found.append(Unique(tuple(field.name for field in keys)))
    found += [Unique(tuple(names)) for names in model._meta.unique_together]
    for constraint in model._meta.constraints:
        condition = getattr(constraint, "condition", None)
        if isinstance(constraint, models.UniqueConstraint):
            expressions = list(constraint.expressions)
            names = _sources(constraint.fields or references(expressions, model), model)
            nulls_distinct = constraint.nulls_distinct is not False
            found.append(Unique(names, condition, nulls_distinct, not expressions))
        elif type(constraint).__name__ == "ExclusionConstraint":
            found.append(Unique(_sources(_apart(constraint, model), model), condition))
    # A historical model holds unique_together as a set, which has no order of its own.
    return sorted(found, key=lambda unique: (len(unique.fields), unique.fields))


def rules(model: Model, dialect: Dialect) -> list[Rule]:
    return [
        rule(constraint.name, constraint.condition, "NOT ({})", model, dialect)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    ]


def rule(name: str, condition: Any, broken: str, model: Model, dialect: Dialect) -> Rule:
    """The rule that ``broken`` makes of a condition; NOT outside of it leaves NULL alone."""
    query = Query(model, alias_cols=False)
    compiler = query.get_compiler(connection=dialect.connection)
    sql, parameters = query.build_where(condition).as_sql(compiler, dialect.connection)
    return Rule(
        name,
        broken.format(sql % tuple(dialect.literal(parameter) for parameter in parameters)),
        frozenset(references(condition, model)),
        tuple(literals(condition)),
    )


def references(node: Any, model: Model) -> Iterator[str]:
    """The names of the model's own fields in a condition or an expression."""
    for path in dict.fromkeys(_paths(node)):
        name = path.split("__")[0]
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        if field is not None:
            yield field.name


def _sources(names: Iterable[str], model: Model) -> tuple[str, ...]:
    """The fields themselves, or those that a generated one is made of."""
    found: dict[str, None] = {}
    for name in names:
        field: Any = model._meta.get_field(name)
        generated = isinstance(field, models.GeneratedField)
        parts = _sources(references(field.expression, model), model) if generated else (name,)
        found.update(dict.fromkeys(parts))
    return tuple(found)


def _apart(constraint: Any, model: Model) -> Iterable[str]:
    """The fields each of which can keep rows apart that an exclusion constraint compares."""
    names = [(list(references(part, model)), operator) for part, operator in constraint.expressions]
    ranges = [
        n[0] for n, _ in names if len(n) == 1 and hasattr(model._meta.get_field(n[0]), "range_type")
    ]
    equal = [name for n, operator in names if operator == "=" for name in n]
    return [*ranges, *equal] or [name for n, _ in names for name in n]


def _paths(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, models.F):
        yield str(vars(node)["name"])
    elif isinstance(node, models.Q):
        for child in node.children:
            if isinstance(child, tuple):
                yield child[0]
                yield from _paths(child[1] if hasattr(child[1], "resolve_expression") else ())
            else:
                yield from _paths(child)
    else:
        for part in _parts(node):
            yield from _paths(part)


def literals(node: Any) -> Iterator[Any]:
    """The constants that a condition compares with."""
    if isinstance(node, models.Q):
        for child in node.children:
            yield from literals(child[1] if isinstance(child, tuple) else child)
    elif isinstance(node, Value):
        yield node.value
    elif isinstance(node, models.F):
        return
    elif hasattr(node, "resolve_expression") or isinstance(node, list | tuple | set | frozenset):
        for part in [*_parts(node), getattr(node, "rhs", None)]:
            yield from literals(part)
    elif node is not None:
        yield node


def _parts(node: Any) -> Iterable[Any]:
    if hasattr(node, "get_source_expressions"):
        return [part for part in node.get_source_expressions() if part is not None]
    return node if isinstance(node, list | tuple | set | frozenset) else ()


def candidates(field: Field, rule: Rule) -> list[Any]:
    """Values at, beside and between the constants of a rule, where the field can hold them."""
    found: list[Any] = []
    for literal in rule.literals:
        if isinstance(literal, bool):
            found.append(literal)
        elif isinstance(literal, int | float | Decimal):
            around = [literal, literal + 1, literal - 1]
            found += [*around, *(_text(int(length)) for length in around)]
        elif isinstance(literal, dt.date):
            found += [literal, literal + dt.timedelta(days=1), literal - dt.timedelta(days=1)]
        else:
            found.append(literal)
    numbers = sorted(float(n) for n in found if isinstance(n, int | float | Decimal))
    for low, high in pairwise(numbers):
        found += [round(low + (high - low) * part / 20, 2) for part in range(1, 20)]
    return list(_clean(field, found))


def _text(length: int) -> str:
    """The number may be a length, asked of a text."""
    length = min(max(length, 0), 10_000)
    return ("some words " * (length // 11 + 1))[:length].replace(" ", "-")


def _clean(field: Field, found: list[Any]) -> Iterator[Any]:
    for value in found:
        # Whatever a field raises for a value, that value is not for it.
        with suppress(Exception):
            yield field.clean(value, cast("Any", None))
