"""Seeds awkward models in a process of its own, and reports on each as JSON.

Reads a JSON request on stdin: the database, the apps, and cases by name, each with its ladder of
row counts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import traceback
from pathlib import Path

import django
from django.conf import settings

sys.path.insert(0, str(Path(__file__).parent))


def configure(request: dict) -> None:
    settings.configure(
        DATABASES={"default": request["database"]},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.postgres",
            *request["apps"],
        ],
        MIGRATION_MODULES={"auth": None, "contenttypes": None},
        AUTH_USER_MODEL="awkward.Account",
        USE_TZ=request.get("use_tz", True),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


class Base:
    """The migrated, empty database, and a copy of it for each model."""

    def __init__(self) -> None:
        from django.db import connection

        self.connection = connection
        self.original = connection.settings_dict["NAME"]

    def make(self) -> None:
        from django.contrib.postgres.signals import get_hstore_oids
        from django.core.management import call_command

        with self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":
                cursor.execute("CREATE SCHEMA elsewhere")
                cursor.execute("SELECT name FROM pg_available_extensions")
                for name in {"hstore", "citext"} & {name for (name,) in cursor.fetchall()}:
                    cursor.execute(f"CREATE EXTENSION {name}")
                get_hstore_oids.cache_clear()
                self.connection.close()
        call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)

    def copy(self, number: int) -> str:
        self.connection.close()
        name = f"{self.original}_{number}"
        if self.connection.vendor == "sqlite":
            shutil.copyfile(self.original, name)
        else:
            self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{self.original}" STRATEGY file_copy')
        self.connection.settings_dict["NAME"] = name
        return name

    def drop(self, name: str) -> None:
        self.connection.close()
        self.connection.settings_dict["NAME"] = self.original
        if self.connection.vendor == "sqlite":
            Path(name).unlink()
        else:
            self._admin(f'DROP DATABASE "{name}"')

    def _admin(self, sql: str) -> None:
        with self.connection._nodb_cursor() as cursor:
            cursor.execute(sql)


def fetch(sql: str, connection) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def dump(connection) -> str:
    """A digest of every row of every table, whatever their order."""
    digest = hashlib.sha256()
    from django.apps import apps

    for model in sorted(apps.get_models(include_auto_created=True), key=lambda m: m._meta.label):
        if model._meta.proxy or not model._meta.can_migrate(connection):
            continue
        table = connection.ops.quote_name(model._meta.db_table)
        rows = sorted(map(repr, fetch(f"SELECT * FROM {table}", connection)))
        digest.update(f"{model._meta.label}{len(rows)}{''.join(rows)}".encode())
    return digest.hexdigest()


def dangling(connection, label: str) -> list[str]:
    """The references of a table that point at nothing."""
    from django.apps import apps

    quote = connection.ops.quote_name
    model = apps.get_model(label)
    found = []
    for field in model._meta.local_concrete_fields:
        if field.is_relation:
            target = field.target_field
            child, parent = quote(model._meta.db_table), quote(target.model._meta.db_table)
            [(count,)] = fetch(
                f"SELECT count(*) FROM {child} c WHERE c.{quote(field.column)} IS NOT NULL AND NOT "
                f"EXISTS (SELECT 1 FROM {parent} p WHERE p.{quote(target.column)} = "
                f"c.{quote(field.column)})",
                connection,
            )
            if count:
                found.append(f"{field}: {count}")
    return found


def leftovers(connection) -> list:
    if connection.vendor == "sqlite":
        return fetch("SELECT name FROM sqlite_temp_master", connection)
    return fetch("SELECT relname FROM pg_class WHERE relpersistence = 't'", connection)


def behind(connection, model) -> bool:
    """Would the next insert meet a key that is there already?"""
    from django.db import models

    if connection.vendor != "postgresql":
        return False
    quote = connection.ops.quote_name
    for field in model._meta.local_concrete_fields:
        if isinstance(field, models.AutoField):
            with connection.cursor() as cursor:
                table = quote(model._meta.db_table)
                cursor.execute(
                    f"SELECT nextval(pg_get_serial_sequence(%s, %s)), (SELECT max("
                    f"{quote(field.column)}) FROM {table})",
                    [table, field.column],
                )
                following, largest = cursor.fetchone()
                if following != largest + 1:
                    return True
    return False


def grow(case: dict, connection) -> dict:
    from django.apps import apps
    from django.db.migrations.state import ProjectState

    from pytest_membudget.seeding import Seeder
    from pytest_membudget.seeding.column_stats import stats_by_column

    with connection.cursor() as cursor:
        for sql in case.get("before", []):
            cursor.execute(sql)
    seeder = Seeder(
        ProjectState.from_apps(apps).apps,
        "default",
        forced_values=case.get("forced_values"),
        profile=stats_by_column(case.get("profile")),
    )
    for rows in case["ladder"]:
        seeded = seeder.grow(rows)
        connection.close()
    counts, broken = {}, []
    for name in seeded.rows:
        model = apps.get_model(name)
        table = connection.ops.quote_name(model._meta.db_table)
        counts[name] = fetch(f"SELECT count(*) FROM {table}", connection)[0][0]
        list(model._base_manager.all())
        broken += dangling(connection, name)
        if behind(connection, model):
            broken.append(f"{name}: its sequence is behind")
    return {
        "rows": seeded.rows,
        "counts": counts,
        "broken": broken,
        "leftovers": leftovers(connection),
        "widths": seeded.widths,
        "profile_mismatches": seeded.profile_mismatches,
        "digest": dump(connection),
        "answers": [fetch(query, connection) for query in case.get("queries", [])],
    }


def main() -> None:
    from pytest_membudget.errors import SeedError

    request = json.load(sys.stdin)
    configure(request)
    from django.db import connection

    base = Base()
    base.make()
    results = {}
    for number, (key, case) in enumerate(request["cases"].items()):
        name = base.copy(number)
        try:
            results[key] = grow(case, connection)
        except SeedError as error:
            results[key] = {"error": str(error), "details": error.details}
        except Exception:
            results[key] = {"crash": traceback.format_exc()}
        base.drop(name)
    connection.close()
    json.dump(results, sys.stdout, default=str)


main()
