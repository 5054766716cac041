"""What seeding needs to say in SQL, and where the two databases differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

NUMBER = "membudget_n"
Field: TypeAlias = "models.Field[Any, Any]"


class Dialect(ABC):
    """SQL is composed without parameters, so that a ``%`` in it stays what it is."""

    numbering: str
    """Definition of the column that numbers the rows of a temporary table from 1."""

    compresses = False
    """Does it compress wide values by itself?"""

    json_ratio: float
    """How many bytes of our JSON documents stand for one of PostgreSQL's compressed ones."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def column(self, field: Field) -> str:
        return self.quote(str(field.column))

    def literal(self, value: Any) -> str:
        return str(self.connection.schema_editor().quote_value(value))

    def execute(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def columns(self, model: type[models.Model]) -> list[Field]:
        """The fields that have a column in the model's own table."""
        return [f for f in model._meta.local_concrete_fields if f.db_type(self.connection)]

    def fast(self) -> AbstractContextManager[None]:
        """Settings for bulk loading that have to be made outside of a transaction."""
        return nullcontext()

    def trust(self, tables: Iterable[str]) -> None:  # noqa: B027
        """Within the transaction: do not check each key, as all are right by construction."""

    def finish(self, model: type[models.Model]) -> None:  # noqa: B027
        """Leave a grown table as if its rows had come one by one."""

    @abstractmethod
    def widths(self, model: type[models.Model]) -> dict[str, int]:
        """Column -> average bytes of its values, NULLs left out."""

    @abstractmethod
    def stored(self, field: Field, *, compressed: bool, text: bool) -> str:
        """Bytes of a value of the field's without the header, or of its text, as SQL."""

    def compress(self, table: str) -> None:  # noqa: B027
        """Let a temporary table compress all that becomes shorter by it."""

    @abstractmethod
    def series(self, first: int, last: int) -> str:
        """An item for FROM: ``series``, whose column ``i`` counts from first to last."""

    def typed(self, expression: str, field: Field) -> str:
        """The expression as a value of the field's column."""
        return expression

    @abstractmethod
    def digits(self, number: str, width: int) -> str: ...

    @abstractmethod
    def uuid(self, number: str, prefix: str) -> str:
        """``prefix`` is 20 hexadecimal digits, the other 12 are the number's."""

    @abstractmethod
    def date(self, number: str) -> str:
        """So many days after 2000-01-01."""

    @abstractmethod
    def moment(self, number: str) -> str:
        """So many seconds after 2000-01-01 00:00 UTC."""

    @abstractmethod
    def microsecond(self, moment: str, number: str) -> str:
        """The moment with its microseconds replaced."""
