"""Whether a migration broke on a column or a table that only today's models have.

The worker imports this module only after a failure.
"""

from __future__ import annotations

import re

from django.apps import apps

# As PostgreSQL, SQLite and MariaDB say it; a column may be named with its table.
_MISSING = (
    r'column "?(?P<column>[\w.]+)"?(?: of relation "\w+")? does not exist',
    r"(?:no such column: |has no column named )(?P<column>[\w.]+)",
    r"Unknown column '(?P<column>[\w.]+)'",
    r"Table '(?:\w+\.)?(?P<table>\w+)' doesn't exist",
    r'(?:relation "|no such table: )(?:main\.)?(?P<table>\w+)',
)


def with_todays_model(failure: str) -> str:
    """What was raised, and the model of today's code that it is about, if it is about one."""
    missing = next((found for one in _MISSING if (found := re.search(one, failure))), None)
    known = missing.groupdict() if missing else {}
    table, _, column = (known.get("column") or "").rpartition(".")
    table = known.get("table") or table
    for model in apps.get_models(include_auto_created=True):
        columns = {field.column for field in model._meta.local_concrete_fields}
        if missing and table in ("", model._meta.db_table) and (not column or column in columns):
            what = "column" if column else "table"
            return (
                f"{failure}; the code uses today's model {model._meta.label}, and a later "
                f"migration adds the {what}, so it fails in production as well; use "
                "apps.get_model()"
            )
    return failure
