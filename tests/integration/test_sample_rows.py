"""Rows of a real database: read along keys, with their parents, and nothing of them in clear."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import servers

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {"default": %r}
"""
MODELS = """
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

class Country(models.Model):
    code = models.CharField(max_length=10, primary_key=True)

class Customer(models.Model):
    id = models.UUIDField(primary_key=True)
    email = models.EmailField(unique=True)
    country = models.ForeignKey(Country, models.CASCADE)
    born = models.DateField()
    referred_by = models.ForeignKey("self", models.CASCADE, null=True)

class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    number = models.CharField(max_length=30, unique=True)
    status = models.CharField(max_length=20)
    level = models.IntegerField()
    rare = models.CharField(max_length=20, choices=[("paid", "P"), ("stolen", "S")])
    author = models.CharField(max_length=40)
    note = models.TextField()
    error = models.TextField(null=True)
    payload = models.TextField()
    document = models.JSONField()
    card = models.BigIntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    weight = models.FloatField()
    upload = models.FileField()
    ip = models.GenericIPAddressField()
    bits = models.BinaryField()
    at = models.DateTimeField()
    due = models.DateField()
    opens = models.TimeField()
    took = models.DurationField()
    open = models.BooleanField()

class Line(models.Model):
    order = models.ForeignKey(Order, models.CASCADE)
    customer_email = models.CharField(max_length=100)
"""
MODELS += """
class Remark(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=20)
    about = GenericForeignKey()
"""
POSTGRESQL = """
from django.contrib.postgres.fields import ArrayField, DateRangeField, HStoreField

class Typed(models.Model):
    names = ArrayField(models.CharField(max_length=40))
    days = DateRangeField()
"""
# Each is in one row only.
SECRETS = {
    "word": "hunter2",
    "sentence": "Call Anna at noon, the door code is 4711-Zebra!",
    "umlaut": "Grünwäldchen Straße",
    "cyrillic": "Достоевский",
    "chinese": "机密文件",
    "email": "anna.secret@example.org",
    "token": "sk_live_51HbZq9x8Y7w",
    "hex": "deadbeef12345678cafe",
    "path": "uploads/anna_passport.pdf",
    "ip": "203.0.113.77",
    "ipv6": "2001:db8::bad:cafe",
    "uuid": "6b1f4c1e-7a41-4a8e-9f6e-2b7f6c6f1a01",
    "error": "KeyError: 'top-secret' at row 7 of Müller",
    "phone": "+49 151 23456789",
    "punctuation": "#$%&+*~<=>",
    "json_key": "anna.key@example.org",
    "json_value": "Doctor Strangelove",
    "json_array": "element-Omega",
    "json_number": 4111111111111111,
    "deep_key": "patient_Zero",
    "in_text": "hidden in a text of JSON",
    "card": 5500005555555559,
    "price": "48151.62",
    "weight": 77.1234567,
    "status": "blackmailed",
    "level": 831234567,
    "rare": "stolen",
    "country": "XQATAR",
    "number": "ORD-SECRET-99812",
    "url": "https://intranet.example.net/anna",
}
FILL = """
import datetime as dt, json, os, sys, uuid
import django
django.setup()
from django.apps import apps
from django.db import connection
from django.utils import timezone
from shop import models as m

S = json.loads(sys.argv[1])
with connection.schema_editor() as editor:
    for model in apps.get_models():
        editor.create_model(model)
texts = [value for value in S.values() if isinstance(value, str)]
m.Country.objects.bulk_create([m.Country(code=c) for c in ("DE", "FR", S["country"])])
customers = []
for n in range(1500):
    customers.append(m.Customer(
        id=uuid.uuid4() if n else uuid.UUID(S["uuid"]),
        email=f"customer{n}@example.com" if n else S["email"],
        country_id=("DE", "FR")[n % 2] if n else S["country"],
        born=dt.date(1950, 1, 1) + dt.timedelta(days=n),
        referred_by=customers[n - 1] if n % 10 == 1 else None,
    ))
m.Customer.objects.bulk_create(customers)
orders = []
for n in range(%(rows)s):
    document = {"kind": "invoice" if n % 2 else "order", "lines": [{"sku": f"A{n}", "n": n}]}
    document["email"] = "same@example.com"
    note, error, title = f"Note number {n} of Anna", None if n %% 3 else f"boom {n}", f"Title {n}"
    if n < 12:  # the first rows are in the sample
        note, title, error = [*texts, *texts][n], texts[12 + n], [*texts, *texts][24 + n]
    if n == 1:
        document[S["json_key"]] = 1
        document["x"] = {S["deep_key"]: S["json_value"], "l": [S["json_array"], S["json_number"]]}
        payload = json.dumps({"title": title, "ok": True, "more": S["in_text"]})
    else:
        payload = json.dumps({"title": title, "ok": True})
    orders.append(m.Order(
        customer=customers[0 if n == 2 else n // 3 %% len(customers)],
        number=S["number"] if n == 3 else f"ORD-{n:05}",
        status=S["status"] if n == 4 else ("new", "paid", "on hold")[n %% 3],
        level=S["level"] if n == 5 else n %% 4,
        rare=S["rare"] if n == 6 else "paid",
        author="Anna Schmidt", note=note, error=error, payload=payload, document=document,
        card=S["card"] if n == 7 else 4000_0000_0000_0000 + n * 7919,
        price=S["price"] if n == 8 else n * 1.25, weight=S["weight"] if n == 9 else n / 7,
        upload=S["path"] if n == 10 else f"uploads/{n}.pdf",
        ip=S["ip"] if n == 11 else S["ipv6"] if n == 12 else f"10.1.2.{n %% 250}",
        bits=S["word"].encode() * 20 if n == 13 else bytes(range(200)),
        at=dt.datetime(2024, 1 + n %% 12, 3, 8, n %% 60, 7, 123, tzinfo=dt.timezone.utc),
        due=dt.date(2024, 1 + n %% 12, 5), opens=dt.time(9, n %% 60, 11),
        took=dt.timedelta(seconds=12345 + n), open=n %% 2 == 0,
    ))
m.Order.objects.bulk_create(orders)
m.Line.objects.bulk_create(
    m.Line(order=order, customer_email=order.customer.email) for order in orders for _ in "ab"
)
kind = m.ContentType.objects.create(app_label="gone", model="secret_model")
m.Remark.objects.create(content_type=kind, object_id="3")
m.Remark.objects.bulk_create(m.Remark(about=order) for order in orders[2000:2100])
if hasattr(m, "Typed"):
    m.Typed.objects.bulk_create(
        m.Typed(names=["a", S["word"] if n == 5 else f"name {n}"],
                days=(dt.date(2024, 1, 1), dt.date(2024, 2, 1 + n)))
        for n in range(20)
    )
"""
ROWS = 4000


@dataclass(frozen=True)
class Sampled:
    """``text`` is the file, and ``read`` what is in it; the database is as it was ``before``."""

    folder: Path
    text: str
    read: dict[str, Any]
    before: object
    after: object

    @cached_property
    def shapes(self) -> set[str]:
        """Of all values and keys."""

        def each(value: Any) -> Iterator[Any]:
            if isinstance(value, dict):
                for key, one in value.items():
                    yield key
                    yield from each(one)
            elif isinstance(value, list):
                for one in value:
                    yield from each(one)
            elif isinstance(value, str) and value.startswith('{"title"'):
                yield from each(json.loads(value))
            else:
                yield value

        rows = [row for table in self.read["tables"].values() for row in table["rows"]]
        return {shape(str(one)) for one in each(rows)}

    def column(self, table: str, column: str) -> list[Any]:
        its = self.read["tables"][table]
        place = list(its["columns"]).index(column)
        return [row[place] for row in its["rows"]]


def run(folder: Path, *arguments: str, code: str | None = None) -> Any:
    what = ["-c", code] if code else ["-m", "pytest_membudget", "sample"]
    done = subprocess.run(
        [sys.executable, *what, *arguments],
        cwd=folder,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
    )
    print(done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sampled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vendor: str
) -> Sampled:
    folder = tmp_path_factory.mktemp("sampled")
    on_postgresql = vendor == "postgresql"
    if on_postgresql:
        server: servers.Server = request.getfixturevalue("postgresql")
        with server.connect() as admin:
            admin.execute("DROP DATABASE IF EXISTS sampled WITH (FORCE)")
            admin.execute("CREATE DATABASE sampled")
        database = server.database("sampled")
    else:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    (folder / "settings.py").write_text(SETTINGS % database)
    (folder / "shop").mkdir()
    (folder / "shop/__init__.py").touch()
    (folder / "shop/models.py").write_text(MODELS + (POSTGRESQL if on_postgresql else ""))
    filled = run(
        folder, json.dumps(SECRETS), code=FILL.replace("%(rows)s", str(ROWS)).replace("%%", "%")
    )
    assert filled.returncode == 0

    def fingerprint() -> object:
        if not on_postgresql:
            file = folder / "db.sqlite3"
            return hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns
        with server.connect("sampled") as connection:
            return connection.execute(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables"
                " ORDER BY 1"
            ).fetchall()

    before = fingerprint()
    done = run(folder, "--database", "default")
    assert (done.returncode, done.stderr) == (0, "")
    text = gzip.decompress((folder / "membudget-rows.json.gz").read_bytes()).decode()
    return Sampled(folder, text, json.loads(text), before, fingerprint())


def test_nothing_is_written_to_the_database(sampled: Sampled) -> None:
    assert sampled.before == sampled.after


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_in_the_file(sampled: Sampled, name: str) -> None:
    secret = str(SECRETS[name])
    written = {secret, json.dumps(secret)[1:-1], secret.replace("-", "")}
    assert not any(one in sampled.text for one in written)
    # Nor are parts of it.
    words = set(re.findall(r"\w{5,}", secret)) - {"https", "example"}
    assert not [word for word in words if not word.isdigit() and word in sampled.text]
    # It was there: something of its form is.
    assert shape(secret) in sampled.shapes or name == "weight"


def shape(text: str) -> str:
    for pattern, sign in ((r"[^\W\d_]", "a"), (r"\d", "0"), (r"(?a)[^\w\s]|_", "-")):
        text = re.sub(pattern, sign, text)
    return re.sub("[a0]", "0", text)


def test_rows_of_the_whole_table_come_with_their_parents(sampled: Sampled) -> None:
    tables = sampled.read["tables"]
    counts = {name: len(table["rows"]) for name, table in tables.items()}
    assert 250 <= counts["shop_line"] <= 320
    assert 150 <= counts["shop_order"] <= 1000
    assert counts["shop_country"] == 3
    for child, column, parent, key in (
        ("shop_line", "order_id", "shop_order", "id"),
        ("shop_order", "customer_id", "shop_customer", "id"),
        ("shop_customer", "country_id", "shop_country", "code"),
        ("shop_customer", "referred_by_id", "shop_customer", "id"),
    ):
        referred = set(sampled.column(child, column)) - {None}
        assert referred
        assert referred <= set(sampled.column(parent, key))
    # Lines were made two for each order; orders come from months all over the key's range.
    assert Counter(Counter(sampled.column("shop_line", "order_id")).values())[2] > 100
    numbers = {int(one[-5:-3]) for one in sampled.column("shop_order", "number")}
    assert len(numbers) > 5


def test_generic_references_lead_to_the_same_rows(sampled: Sampled) -> None:
    """The names of the project's own models are no secrets, those of others may be."""
    kinds = {
        key: (app_label, model)
        for key, app_label, model in zip(
            *(sampled.column("django_content_type", one) for one in ("id", "app_label", "model")),
            strict=True,
        )
    }
    assert ("shop", "order") in kinds.values()
    assert not any("gone" in kind or "secret_model" in kind for kind in kinds.values())
    orders = set(sampled.column("shop_order", "id"))
    about = [
        key
        for kind, key in zip(
            *(sampled.column("shop_remark", one) for one in ("content_type_id", "object_id")),
            strict=True,
        )
        if kinds[kind] == ("shop", "order")
    ]
    assert len(set(about)) == len(about) == 100
    assert {int(one) for one in about} <= orders


def test_what_stays(sampled: Sampled) -> None:
    """Kinds and lengths, duplicates, NULLs, enumerations, keys of documents, days."""
    orders = len(sampled.column("shop_order", "id"))
    assert sorted(sampled.column("shop_order", "id")) == list(range(1, orders + 1))
    assert all(
        re.fullmatch(r"[A-Z]{3}-\d{5}", one)
        for one in sampled.column("shop_order", "number")
        if len(one) == 9
    )
    assert len(set(sampled.column("shop_order", "number"))) == orders
    statuses = Counter(sampled.column("shop_order", "status"))
    assert {"new", "paid", "on hold"} <= statuses.keys()
    assert len(statuses) <= 4
    assert set(range(4)) <= set(sampled.column("shop_order", "level"))
    assert "paid" in sampled.column("shop_order", "rare")
    [author] = set(sampled.column("shop_order", "author"))
    assert re.fullmatch("[A-Z][a-z]{3} [A-Z][a-z]{6}", author)
    assert author != "Anna Schmidt"
    errors = sampled.column("shop_order", "error")
    assert 0.5 < errors.count(None) / orders < 0.7
    documents = sampled.column("shop_order", "document")
    assert {"invoice", "order"} == {one["kind"] for one in documents}
    assert all(one["lines"][0].keys() == {"sku", "n"} for one in documents)
    assert "same@example.com" not in sampled.text
    assert all(
        json.loads(one).keys() >= {"title", "ok"}
        for one in sampled.column("shop_order", "payload")
        if "title" in one
    )
    days = {dt.datetime.fromisoformat(one).day for one in sampled.column("shop_order", "at")}
    assert days == {3}
    emails = sampled.column("shop_line", "customer_email")
    assert set(emails) <= set(sampled.column("shop_customer", "email"))
    assert all(
        re.fullmatch(r"[a-z]+\d*@[a-z]{7}\.[a-z]{3}", one)
        for one in emails
        if "." not in one.split("@")[0]
    )


def test_the_check_shows_what_is_in_clear(sampled: Sampled) -> None:
    done = run(sampled.folder, "--check")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[2:]}
    assert '"new" ×' in lines["shop_order.status"]
    assert '"paid" ×' in lines["shop_order.status"]
    assert "blackmailed" not in done.stdout
    assert "keys email, kind, lines, n, sku" in lines["shop_order.document"]
    assert 'at kind: "invoice", "order"' in lines["shop_order.document"]
    assert lines["shop_order.at"].endswith("the day")
    assert "shop_order.note" not in lines
    assert "shop_order.author" not in lines
    before = (sampled.folder / "membudget-rows.json.gz").read_bytes()
    again = run(sampled.folder, "--database", "default", "--check")
    assert '"new" ×' in again.stdout
    assert (sampled.folder / "membudget-rows.json.gz").read_bytes() == before


def test_one_table_comes_with_what_it_refers_to(sampled: Sampled) -> None:
    done = run(
        sampled.folder, "--database", "default", "--table", "shop.Customer", "-o", "few.json"
    )
    assert done.returncode == 0
    few = json.loads((sampled.folder / "few.json").read_text())
    assert few["tables"].keys() == {"shop_customer", "shop_country"}
    done = run(sampled.folder, "--database", "default", "--table", "shop.Nothing")
    assert done.returncode == 2
    assert "--table shop.Nothing: there is no such table or model" in done.stderr


def test_types_of_postgresql(sampled: Sampled) -> None:
    if "shop_typed" not in sampled.read["tables"]:
        pytest.skip("PostgreSQL's")
    assert all(len(one) == 2 for one in sampled.column("shop_typed", "names"))
    first = sampled.column("shop_typed", "days")[0]
    assert first["lower"] < first["upper"]
    assert first["bounds"] == "[)"


def test_a_table_that_can_t_be_read_is_named(sampled: Sampled, request: Any) -> None:
    """What refers to its rows is read as well as it can be."""
    if "shop_typed" not in sampled.read["tables"]:
        pytest.skip("SQLite has no roles")
    server: servers.Server = request.getfixturevalue("postgresql")
    with server.connect("sampled") as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'membudget'")
        connection.execute("GRANT SELECT ON shop_order, shop_line TO reader")
        database = server.database("sampled", USER="reader")
        settings = f"from settings import *\nDATABASES = {{'default': {database}}}"
        (sampled.folder / "reader.py").write_text(settings)
        done = run(
            sampled.folder, "--database", "default", "-o", "reader.json", "--settings", "reader"
        )
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")
    assert "not read: shop_customer: permission denied for table shop_customer" in done.stderr
    rows = json.loads((sampled.folder / "reader.json").read_text())["tables"]
    assert rows.keys() == {"shop_order", "shop_line"}
    assert done.stderr.count("shop_customer") == 2
    assert len(rows["shop_order"]["rows"]) > 100


def test_a_wide_table_gives_fewer_rows(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        SETTINGS % {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}
    )
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/models.py").touch()
    with sqlite3.connect(tmp_path / "db.sqlite3") as connection:
        connection.execute("CREATE TABLE wide (id integer PRIMARY KEY, blob text)")
        connection.executemany(
            "INSERT INTO wide VALUES (?, ?)", ((n, "x" * 200_000) for n in range(300))
        )
    done = run(tmp_path, "--database", "default", "--table", "wide", "-o", "wide.json")
    assert done.returncode == 0
    rows = json.loads((tmp_path / "wide.json").read_text())["tables"]["wide"]["rows"]
    assert 15 < len(rows) <= 25
