from __future__ import annotations

import os
from typing import Any, NoReturn

from django.db.backends.dummy import base

from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection.children import VARIABLE


class DatabaseOperations(base.DatabaseOperations):
    """A queryset asks for these before there is a connection."""

    def compiler(self, *args: Any) -> Any:
        self.connection.ensure_connection()

    def quote_name(self, *args: Any) -> Any:
        self.connection.ensure_connection()


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def ensure_connection(self) -> NoReturn:
        Target.read(os.environ[VARIABLE]).refuse(f"the database alias {self.alias!r}")

    def cursor(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.ensure_connection()

    def schema_editor(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.ensure_connection()

    def close(self) -> None:
        pass
