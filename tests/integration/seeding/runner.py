"""Seeds awkward models in a process of its own, and reports on each as JSON.

Reads a JSON request on stdin: the database, the apps, and cases by name, each with its ladder of
row counts.
"""

from __future__ import annotations

import hashlib
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from msgspec import convert
from seeding_cases import NOT_ON_MARIADB

sys.path.insert(0, str(Path(__file__).parent))


def configure(request: dict) -> None:
    if request["database"]["ENGINE"].endswith("mysql"):
        import pymysql

        pymysql.install_as_MySQLdb()
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


def migrate(connection) -> None:
    from django.contrib.postgres.signals import get_hstore_oids
    from django.core.management import call_command

    if connection.vendor == "postgresql":
        fetch("CREATE SCHEMA elsewhere", connection)
        available = {
            name for (name,) in fetch("SELECT name FROM pg_available_extensions", connection)
        }
        for name in {"hstore", "citext"} & available:
            fetch(f"CREATE EXTENSION {name}", connection)
        get_hstore_oids.cache_clear()
        connection.close()
    if connection.vendor == "mysql":
        create_tables(connection)
        return
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)


def create_tables(connection) -> None:
    """Those that MariaDB can have."""
    from django.apps import apps

    with connection.schema_editor() as editor:
        for model in apps.get_models():
            meta = model._meta
            if meta.can_migrate(connection) and not meta.proxy and meta.label not in NOT_ON_MARIADB:
                editor.create_model(model)


def fetch(sql: str, connection) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def with_rows(connection) -> list[str]:
    """The tables that have rows, quoted."""
    from django.apps import apps

    models = apps.get_models(include_auto_created=True)
    found = [
        m._meta.db_table for m in models if not m._meta.proxy and m._meta.can_migrate(connection)
    ]
    if connection.vendor == "mysql":
        found = [one for one in found if one in connection.introspection.table_names()]
    tables = [connection.ops.quote_name(table) for table in found]
    counts = (f"SELECT {n} WHERE EXISTS (SELECT 1 FROM {one})" for n, one in enumerate(tables))
    return [tables[n] for (n,) in fetch(" UNION ALL ".join(counts), connection)]


def empty(connection) -> None:
    if not (tables := with_rows(connection)):
        return
    if connection.vendor == "postgresql":
        fetch(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE", connection)
    else:
        more = ["sqlite_sequence"] if connection.vendor == "sqlite" else []
        with connection.constraint_checks_disabled():
            for table in (*tables, *more):
                fetch(f"DELETE FROM {table}", connection)


def dump(connection) -> str:
    """A digest of every row of every table, whatever their order."""
    digest = hashlib.sha256()
    for table in with_rows(connection):
        rows = sorted(map(repr, fetch(f"SELECT * FROM {table}", connection)))
        digest.update(f"{table}{len(rows)}{''.join(rows)}".encode())
    return digest.hexdigest()


def broken(connection, model) -> Iterator[str]:
    """References that point at nothing, and a sequence whose next value is there already."""
    from django.db import models

    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    for field in model._meta.local_concrete_fields:
        column = quote(field.column)
        if field.is_relation:
            target = field.target_field
            [(count,)] = fetch(
                f"SELECT count(*) FROM {table} c WHERE c.{column} IS NOT NULL AND NOT "
                f"EXISTS (SELECT 1 FROM {quote(target.model._meta.db_table)} p "
                f"WHERE p.{quote(target.column)} = c.{column})",
                connection,
            )
            if count:
                yield f"{field}: {count}"
        if isinstance(field, models.AutoField) and connection.vendor == "postgresql":
            literal = table.replace("'", "''")
            sequence = f"pg_get_serial_sequence('{literal}', '{field.column}')"
            sql = f"SELECT nextval({sequence}) - max({column}) FROM {table}"
            if fetch(sql, connection) != [(1,)]:
                yield f"{field}: its sequence is behind"


def leftovers(connection) -> list:
    if connection.vendor == "sqlite":
        return fetch("SELECT name FROM sqlite_temp_master", connection)
    if connection.vendor == "mysql":
        return []  # a session can't list its own
    return fetch("SELECT relname FROM pg_class WHERE relpersistence = 't'", connection)


def grow(case: dict, state, connection) -> dict:
    from django.apps import apps

    from pytest_membudget.profile.production import ColumnStats
    from pytest_membudget.sample.lesson import Lesson
    from pytest_membudget.seeding import Seeder

    for sql in case.get("before", []):
        fetch(sql, connection)
    profile = convert(case.get("profile", {}), dict[str, dict[str, ColumnStats]])
    lessons = convert(case.get("lessons", []), list[Lesson])
    asked = {name: case.get(name) for name in ("forced_values", "shares")}
    seeder = Seeder(state, "default", profile=profile, lessons=lessons, **asked)
    digest = None
    for rows in case["ladder"]:
        connection.close()
        seeded = seeder.grow(rows)
        if case.get("digest") and digest is None:
            digest = dump(connection)
    if not case.get("report", True):
        return {"digest": digest}
    models = {name: apps.get_model(name) for name in seeded.rows}
    counts = {name: len(model._base_manager.all()) for name, model in models.items()}
    return {
        "rows": seeded.rows,
        "counts": counts,
        "broken": [one for model in models.values() for one in broken(connection, model)],
        "leftovers": leftovers(connection),
        "widths": seeded.widths,
        "profile_mismatches": seeded.profile_mismatches,
        "shares": seeded.shares,
        "digest": digest,
        "answers": [fetch(query, connection) for query in case.get("queries", [])],
    }


def main() -> None:
    from pytest_membudget.errors import SeedError

    request = json.load(sys.stdin)
    configure(request)
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.state import ProjectState

    migrate(connection)
    state = ProjectState.from_apps(apps).apps
    results = {}
    for key, case in request["cases"].items():
        try:
            results[key] = grow(case, state, connection)
        except SeedError as error:
            results[key] = {"error": str(error), "details": error.details}
        except Exception:
            results[key] = {"crash": traceback.format_exc()}
        empty(connection)
    connection.close()
    json.dump(results, sys.stdout, default=str)


main()
