"""Finds the different values that a column can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding import numbering, values
from pytest_membudget.seeding.builtin_equivalent import stand_in
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.formulas import formulas
from pytest_membudget.seeding.sequences import Domain, Lookup, trusted
from pytest_membudget.seeding.staging_tables import Scratch, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_membudget.seeding.constraints import Rule
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_TRIED = 1000


class Uniques:
    def __init__(
        self, table: Table, rules: list[Rule], scratch: Scratch, widths: Mapping[str, float]
    ) -> None:
        self._table = table
        self._rules = rules
        self._scratch = scratch
        self._widths = widths
        self._dialect = table.dialect

    def domain(self, field: Field, exact: bool) -> Domain:
        """The different values of a field which agree with the rules on it alone.

        They also differ in what an expression may leave of them, their day for instance.
        """
        if not values.choices(field) and trusted(field):
            rules = [rule for rule in self._rules if rule.fields == {field.name}]
            literals = [literal for rule in rules for literal in rule.literals]
            width = self._widths.get(str(field.column))
            found = formulas(field, self._last(field), literals, exact, self._dialect, width)
            for domain in found:
                if all(self._agrees(field, domain, rule) for rule in rules):
                    return domain
        return self._lookup(field)

    def _last(self, field: Field) -> int:
        if not self._table.existing:
            return 0
        if isinstance(field, models.IntegerField | models.FloatField | models.DecimalField):
            largest = self._dialect.fetch(
                f"SELECT max({self._dialect.column(field)}) FROM {self._table.name}"
            )[0][0]
            return max(int(largest or 0), 0)
        return self._table.existing

    def _agrees(self, field: Field, domain: Domain, rule: Rule) -> bool:
        name = self._dialect.column(field)
        value = self._dialect.typed(domain.at("series.i"), field)
        series = self._dialect.series(1, max(1, min(_TRIED, domain.size)))
        sql = f"SELECT 1 FROM (SELECT {value} AS {name} FROM {series}) AS x WHERE {rule.broken}"
        return not self._dialect.fetch(f"{sql} LIMIT 1")

    def _lookup(self, field: Field) -> Lookup:
        kind = stand_in(field, self._dialect.connection)
        found = numbering.numbering(field) if values.choices(field) else numbering.nth(kind)
        existing = self._table.existing
        if existing and found.size > _TRIED:
            found = numbering.Numbering(found.size - existing, _after(existing, found))
        elif existing:
            taken = set(
                self._table.model._base_manager.using(self._dialect.connection.alias).values_list(
                    field.name, flat=True
                )
            )
            left = [value for n in range(1, found.size + 1) if (value := found.at(n)) not in taken]
            found = numbering.Numbering(len(left), lambda n: left[n - 1])
        if not trusted(field):
            found = self._storable(field, found)
        return Lookup(new_name(), field, self._dialect.column(field), found)

    def _storable(self, field: Field, found: numbering.Numbering) -> numbering.Numbering:
        tries = [found, numbering.Numbering(found.size, lambda n: field.to_python(found.at(n)))]
        errors: list[Exception] = []
        for attempt in tries:
            try:
                self._scratch.trial(self._table.model, field, [attempt.at(n) for n in (1, 2)])
            except Exception as error:  # a field may raise anything
                errors.append(error)
            else:
                return attempt
        raise unstorable(self._table.label, field.name, errors)


def _after(existing: int, found: numbering.Numbering) -> Callable[[int], Any]:
    return lambda n: found.at(n + existing)
