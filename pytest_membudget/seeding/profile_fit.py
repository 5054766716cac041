"""What the columns of a table take from the profile, as far as the model's rules let them."""

from __future__ import annotations

from dataclasses import replace

from django.db import models

from pytest_membudget.seeding.column_stats import ColumnStats, StatsByColumn, as_toasted
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind, stored_as_builtin
from pytest_membudget.seeding.fields.base import SPAN, Variation
from pytest_membudget.seeding.table import Table

_ALL = 0.95
"""Of so many parents the statistics say that all have children."""


class ProfileFit:
    """``widths`` are those that are known, by column."""

    def __init__(self, table: Table, profile: StatsByColumn) -> None:
        self._profile = profile
        own = profile.get(table.model._meta.db_table, {})
        fields = table.fields.values() if own else ()
        ratios = {str(field.column): table.kind(field.name).compression for field in fields}
        self._stats = as_toasted(own, ratios)
        self.widths = {name: s.width for name, s in own.items() if s.width is not None}

    def stats(self, field: Field, kind: FieldKind) -> ColumnStats | None:
        """Without what is decided by the field: which values there are of two or of a few."""
        stats = self._stats.get(str(field.column))
        if stats and (kind.choices or not kind.has_variety):
            return replace(stats, distinct=None)
        return stats

    def variation(
        self, field: Field, kind: FieldKind, stats: ColumnStats | None
    ) -> Variation | None:
        """For more different values than a template holds. No rule may be about the field."""
        if stats is None or kind.choices or not stored_as_builtin(field):
            return None
        many = (stats.distinct or 0) > SPAN and (stats.variety or 0) * SPAN >= 1
        return kind.variation(stats.width) if many else None

    def share(self, parent: type[models.Model], stats: ColumnStats | None) -> float:
        """The share of the parents that have children in production."""
        columns = self._profile.get(parent._meta.db_table, {}).values()
        parents = max((column.rows or 0 for column in columns), default=0)
        if stats is None or not stats.distinct or not parents:
            return 1.0
        share = stats.distinct / parents
        return 1.0 if share > _ALL else share
