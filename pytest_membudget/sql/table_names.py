"""Tables by the name that a model has for them, whatever a statement calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pytest_membudget.database.engine import engine_of
from pytest_membudget.sql.statement import Table

# What migrate reads and writes for itself, and the databases' own catalogues.
_OF_DJANGO = ("django_migrations", "django_content_type", "auth_permission", "pg_", "sqlite_")
_CATALOGUES = ("pg_catalog", "information_schema")


def is_own_of_django(table: str) -> bool:
    return table.startswith((*_OF_DJANGO, *(f"{schema}." for schema in _CATALOGUES)))


def named_by(db_table: str) -> Table:
    """A model's ``db_table``, which may be ``app"."thing`` to name a schema."""
    schema, _, name = db_table.strip('"').rpartition('"."')
    return Table(schema, name)


def finds_one(columns: Collection[str], uniques: Iterable[Collection[str]]) -> bool:
    """Whether these columns, as Accesses writes them, find one row at most, by a key."""
    return any(all(f"{column}=" in columns for column in unique) for unique in uniques)


class TableNames:
    """The models' tables, each with the sets of columns of which values find a single row.

    ``schemas`` is the search path of the database: what a statement, or a model, does not qualify
    is in one of them.
    """

    def __init__(
        self, tables: Mapping[str, Sequence[Collection[str]]], vendor: str, schemas: Sequence[str]
    ) -> None:
        self._uniques = tables
        engine = engine_of(vendor)
        self._folds = engine.folds_names
        self._schemas = tuple(schemas) or engine.schemas
        self._known: dict[Table, str] = {}
        for db_table in tables:
            for schema in self._places(named_by(db_table)):
                self._known.setdefault(self._fold(Table(schema, named_by(db_table).name)), db_table)

    def __contains__(self, table: str) -> bool:
        return table in self._uniques

    def key(self, table: Table) -> str:
        """The model's name for it, or else its own, with a schema that is not the usual one."""
        for schema in self._places(table):
            known = self._known.get(self._fold(Table(schema, table.name)))
            if known is not None:
                return known
        usual = table.schema in ("", *self._schemas)
        return table.name if usual else f"{table.schema}.{table.name}"

    def is_single(self, table: str, columns: Collection[str]) -> bool:
        """Whether these columns find one row of it at most."""
        return finds_one(columns, self._uniques.get(table, ()))

    def _places(self, table: Table) -> tuple[str, ...]:
        return (table.schema,) if table.schema else self._schemas or ("",)

    def _fold(self, table: Table) -> Table:
        return Table(table.schema.lower(), table.name.lower()) if self._folds else table
