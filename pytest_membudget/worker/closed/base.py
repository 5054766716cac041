from __future__ import annotations

from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.dummy import base


class DatabaseWrapper(base.DatabaseWrapper):
    def ensure_connection(self) -> NoReturn:
        raise ImproperlyConfigured(
            f"the migration opened the database alias {self.settings_dict['NAME']!r}, which "
            "membudget keeps closed: only the alias that is measured has a scratch database"
        )

    def cursor(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.ensure_connection()

    def close(self) -> None:
        pass
