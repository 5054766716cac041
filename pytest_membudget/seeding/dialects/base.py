"""What seeding needs to say in SQL, and where the databases differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

NUMBER = "membudget_n"
Field: TypeAlias = "models.Field[Any, Any]"

_MEASURED = 1000


class Dialect(ABC):
    """SQL is composed without parameters, so that a ``%`` in it stays what it is.

    ``compresses``: does it compress wide values by itself?
    ``json_ratio``: how many bytes of our JSON documents stand for one of PostgreSQL's compressed
    ones.
    ``numbering`` defines the column that numbers the rows of a temporary table from 1.
    ``temporary`` has to be said to drop such a table without an end of the transaction.
    ``inserting`` stands in an INSERT before the rows, so that each column takes the value given.

    The others are expressions with places for their arguments.  ``series(first, last)`` is an item
    for FROM, whose column ``series.i`` counts; ``quotient(number, by)`` is a whole number;
    ``digits(number, width)`` has leading zeros;
    ``uuid(prefix, number)`` has 20 hexadecimal digits and those of the number; ``date(number)`` is
    so many days after 2000-01-01 and ``moment(number)`` so many seconds; ``microsecond(moment,
    number)`` replaces the microseconds; ``size(column)`` is the bytes of a value as stored.
    """

    compresses: ClassVar[bool]
    json_ratio: ClassVar[float]
    numbering: ClassVar[str]
    temporary: ClassVar[str] = ""
    inserting: ClassVar[str] = ""
    series: ClassVar[str]
    quotient: ClassVar[str] = "({} / {})"
    digits: ClassVar[str]
    uuid: ClassVar[str]
    date: ClassVar[str]
    moment: ClassVar[str]
    microsecond: ClassVar[str]
    size: ClassVar[str]

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def column(self, field: Field) -> str:
        return self.quote(str(field.column))

    def literal(self, value: Any) -> str:
        return str(self.connection.schema_editor().quote_value(value))

    def joined(self, parts: Iterable[str]) -> str:
        """These texts one after the other, as SQL."""
        return f"({' || '.join(parts)})"

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def columns(self, model: type[models.Model]) -> list[Field]:
        """The fields that have a column in the model's own table."""
        return [f for f in model._meta.local_concrete_fields if f.db_type(self.connection)]

    def widths(self, model: type[models.Model]) -> dict[str, int]:
        """Column -> average bytes of its values in some rows, NULLs left out."""
        fields = self.columns(model)
        sizes = ", ".join(f"avg({self.size.format(self.column(field))})" for field in fields)
        rows = f"SELECT * FROM {self.quote(model._meta.db_table)} LIMIT {_MEASURED}"
        [found] = self.execute(f"SELECT {sizes} FROM ({rows}) AS x")
        return {
            str(field.column): round(size or 0) for field, size in zip(fields, found, strict=True)
        }

    def fast(self) -> AbstractContextManager[None]:
        """Settings for bulk loading that have to be made outside of a transaction."""
        return nullcontext()

    def trust(self, tables: Iterable[str]) -> None:  # noqa: B027
        """Within the transaction: do not check each key, as all are right by construction."""

    def finish(self, model: type[models.Model]) -> None:  # noqa: B027
        """Leave a grown table as if its rows had come one by one."""

    @abstractmethod
    def stored(self, field: Field, *, compressed: bool, text: bool) -> str:
        """Bytes of a value of the field's without the header, or of its text, as SQL."""

    def compress(self, table: str) -> None:  # noqa: B027
        """Let a temporary table compress all that becomes shorter by it."""

    def typed(self, expression: str, field: Field) -> str:
        """The expression as a value of the field's column."""
        return expression
