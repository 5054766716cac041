"""Rows of a file, as `membudget sample` writes them, that grow inside the database."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from batch import both, checks
from project import LIMIT, Project

from pytest_membudget.profile.document import Database
from pytest_membudget.rows.document import ColumnRows, RowsFile, TableRows, packed

MODELS = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [
            ("shop", "0001_initial"), ("auth", "0001_initial"),
            ("contenttypes", "0002_remove_content_type_name"),
        ]
        operations = [
            migrations.CreateModel("Tag", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40, unique=True)),
            ]),
            migrations.CreateModel("Warehouse", [
                ("id", models.BigAutoField(primary_key=True)),
                ("town", models.CharField(max_length=40)),
            ]),
            migrations.CreateModel("Line", [
                ("id", models.UUIDField(primary_key=True)),
                ("order", models.ForeignKey("shop.Order", models.CASCADE, related_name="lines")),
                ("warehouse", models.ForeignKey("shop.Warehouse", models.CASCADE)),
                ("after", models.ForeignKey("self", models.CASCADE, null=True)),
                ("document", models.JSONField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("weight", models.DecimalField(max_digits=8, decimal_places=2)),
                ("bits", models.BinaryField()),
            ], options={"constraints": [models.CheckConstraint(
                **{CHECK: models.Q(weight__gt=0)}, name="weight")]}),
            migrations.CreateModel("Remark", [
                ("id", models.BigAutoField(primary_key=True)),
                ("content_type", models.ForeignKey("contenttypes.ContentType", models.CASCADE)),
                ("object_id", models.IntegerField()),
            ]),
            migrations.AddField("Order", "tags", models.ManyToManyField("shop.Tag")),
            migrations.AddField("Order", "channel", models.CharField(max_length=9, default="web")),
            migrations.CreateModel("Other", [
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey("shop.Order", models.CASCADE)),
                ("required", models.IntegerField()),
            ]),
        ]
"""
# Django calls it ``check`` before 5.1.
CHECK = 'import django\n    CHECK = "condition" if django.VERSION >= (5, 1) else "check"\n'
# What it asserts holds of all rows of each sample.
ASSERTS = """
import datetime as dt
from collections import Counter

def forwards(apps, schema_editor):
    Customer, Order, Line, Tag, Warehouse = (
        apps.get_model("shop", name) for name in ("Customer", "Order", "Line", "Tag", "Warehouse")
    )
    orders = list(Order.objects.prefetch_related("tags").select_related("customer"))
    count = len(orders)
    if not count:
        return  # while states are built
    assert Counter(order.channel for order in orders) == {"web": count}
    assert {len(order.note) for order in orders} == {2000}
    assert 0.4 < sum(order.total is None for order in orders) / count < 0.6
    assert all(order.number.startswith("ORD-") for order in orders)
    assert all(one.customer.email.endswith("@xyz.example") for one in orders)
    assert sum(len(order.tags.all()) for order in orders) == count
    assert Tag.objects.count() == 2
    lines = list(Line.objects.select_related("order", "warehouse"))
    assert len(lines) == 2 * count
    assert all(line.document["kind"] in ("a", "b") for line in lines)
    assert {line.at for line in lines} == {dt.datetime(2024, 5, 6, 7, 8, tzinfo=dt.timezone.utc)}
    assert all(line.weight > 0 and len(line.bits) == 4 for line in lines)
    each = Counter(line.order_id for line in lines)
    assert set(each.values()) == {2}
    assert sum(line.after_id is not None for line in lines) == count
    assert all(line.warehouse.town for line in lines)
    Order.objects.create(customer=orders[0].customer, number="new", note="", price=1)
"""
# One is generated, because the file has no column ``required``.
GENERATED = """
def forwards(apps, schema_editor):
    others = list(apps.get_model("shop", "Other").objects.select_related("order"))
    for one in others:
        assert len(one.order.note) == 2000 and one.required is not None
"""
GENERIC = """
def forwards(apps, schema_editor):
    for remark in apps.get_model("shop", "Remark").objects.select_related("content_type"):
        assert remark.content_type.app_label == "auth"
        assert remark.content_type.model == ("user" if remark.object_id == 5 else "group")
"""
READS_NOTES = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        order.note += "!"
"""
FILTERS = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in list(Order.objects.filter(channel="shop").only("id", "note")):
        order.note += "!"
"""
NUMBERS = """
def forwards(apps, schema_editor):
    total = 0
    for order in apps.get_model("shop", "Order").objects.all():
        total += int(order.number)
"""
KEYS = """
def forwards(apps, schema_editor):
    for line in apps.get_model("shop", "Line").objects.all():
        line.document["title"].strip()
"""
ROWS = """rows={
    "shop.Order": 8_000, "shop.Customer": 1_600, "shop.Line": 16_000, "shop.Order_tags": 8_000
}"""
OPTIONS = ("--membudget-rows-file=rows.json.gz",)


def table(kinds: dict[str, str], rows: list[list[Any]], key: str | None = "id") -> TableRows:
    return TableRows({name: ColumnRows(kind) for name, kind in kinds.items()}, rows, key)


def rows_file(vendor: str = "postgresql") -> RowsFile:
    """100 orders of 20 customers, each with a tag and two lines; and tables of no project."""
    uuid = "6b1f4c1e-7a41-4a8e-9f6e-{:012}".format
    orders = [
        [n, 1 + n % 20, f"ORD-{n:04}", "x" * 2000, n, n if n % 2 else None, "gone"]
        for n in range(1, 101)
    ]
    lines = [
        [
            uuid(n), 1 + n // 2, 77, uuid(n - 1) if n % 2 else None,
            {"kind": "ab"[n % 2], "n": n}, "2024-05-06T07:08:00+00:00", "12.50", "AAECAw==",
        ]
        for n in range(200)
    ]  # fmt: skip
    lines += [[uuid(n), 1, 77, None, {}, "2024-05-06T07:08:00", "-1", ""] for n in range(200, 203)]
    tables = {
        "shop_customer": table(
            {"id": "number", "email": "text"}, [[n, f"abc{n}@xyz.example"] for n in range(1, 21)]
        ),
        "shop_order": table(
            {
                "id": "number", "customer_id": "number", "number": "text", "note": "text",
                "price": "number", "total": "number", "removed": "text",
            },
            orders,
        ),
        "shop_line": table(
            {
                "id": "uuid", "order_id": "number", "warehouse_id": "number", "after_id": "uuid",
                "document": "document", "at": "moment", "weight": "number", "bits": "binary",
            },
            lines,
        ),
        "shop_tag": table({"id": "number", "name": "text"}, [[1, "a"], [2, "b"]]),
        "shop_order_tags": table(
            {"id": "number", "order_id": "number", "tag_id": "number"},
            [[n, n, 1 + n % 2] for n in range(1, 101)],
        ),
        "shop_other": table({"id": "number", "order_id": "number"}, [[1, 1], [2, 2]]),
        "django_content_type": table(
            {"id": "number", "app_label": "text", "model": "text"},
            [[71, "auth", "user"], [72, "auth", "group"]],
        ),
        "shop_remark": table(
            {"id": "number", "content_type_id": "number", "object_id": "number"},
            [[n, 71 + n % 2, 6 if n % 2 else 5] for n in range(1, 51)],
        ),
        "nobodys": table({"id": "number"}, [[1]]),
    }  # fmt: skip
    return RowsFile(Database(vendor, "15"), date(2026, 11, 27), tables)


def prepare(project: Project) -> None:
    models = MODELS.replace("from django", CHECK.replace("\n    ", "\n    ") + "    from django", 1)
    project.write("shop/migrations/0002_more.py", models)
    project.last = "0002_more"
    (project.path / "rows.json.gz").write_bytes(packed(rows_file(), "rows.json.gz"))
    project.profile({"shop_order": 8_000, "shop_customer": 1_600}, file="few.json")
    project.profile({"shop_order": 8_000}, file="wider.json", note=30_000)


@both
@checks(ASSERTS, ROWS, LIMIT, options=OPTIONS)
def test_rows_of_a_file_grow_as_copies(result: dict[str, Any]) -> None:
    """Also those of another kind of database; what its table lacks, and what breaks a constraint,
    is left out, and what the file lacks is generated.
    """
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows"]["shop.Order"] == 8_000


@both
@checks(GENERIC, 'rows={"shop.Remark": 8_000}', LIMIT, options=OPTIONS)
def test_content_types_are_those_that_are_there(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]


@both
@checks(GENERATED, 'rows={"shop.Other": 8_000, "shop.Order": 4_000}', LIMIT, options=OPTIONS)
def test_a_table_that_can_t_hold_its_rows_is_generated(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]


@both
@checks(READS_NOTES, 'rows={"shop.Order": 8_000}', LIMIT, options=OPTIONS)
def test_widths_are_those_of_the_file(result: dict[str, Any]) -> None:
    assert result["bytes_per_row"] > 2_300


@checks(FILTERS, 'rows={"shop.Order": 32_000}', LIMIT, options=OPTIONS)
def test_values_that_a_statement_asks_for_come_before_those_of_the_file(
    result: dict[str, Any],
) -> None:
    """But for the rows of the file themselves."""
    assert result["samples"][-1]["rows_read"] == 32_000 - 100
    assert result["bytes_per_row"] > 2_300


@checks(READS_NOTES, 'rows={"shop.Order": 8_000, "shop.Warehouse": 9}', LIMIT, options=OPTIONS)
def test_a_finding_says_whose_rows_are_copies(result: dict[str, Any]) -> None:
    [said] = [one["message"] for one in result["findings"] if one["code"] == "rows-sampled"]
    assert said == (
        "rows of shop.Order are copies of those in rows.json.gz; those of shop.Warehouse were "
        "generated"
    )


WIDER = (*OPTIONS, "--membudget-profile=wider.json")


@checks(READS_NOTES, 'rows={"shop.Order": 8_000}', LIMIT, options=WIDER)
def test_rows_that_are_narrower_than_production_s_are_no_pass(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "copies of those in the rows file, 28000 bytes narrower" in result["reason"]


@both
@pytest.mark.parametrize("code", [NUMBERS, KEYS], ids=["numbers", "keys"])
@checks(lambda code: code, 'rows={"shop.Order": 8_000, "shop.Line": 8_000}', LIMIT, options=OPTIONS)
def test_rows_of_a_file_that_break_the_migration_teach_what_it_expects(
    result: dict[str, Any], code: str
) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert "rows-learned" in [one["code"] for one in result["findings"]]


def test_the_gate_uses_it_and_the_header_names_it(project: Project) -> None:
    prepare(project)
    project.write(
        "shop/migrations/0003_it.py",
        """
        from django.db import migrations

        def forwards(apps, schema_editor):
            for order in apps.get_model("shop", "Order").objects.all():
                order.note += "!"
                assert len(order.note) == 2001

        class Migration(migrations.Migration):
            dependencies = [("shop", "0002_more")]
            operations = [migrations.RunPython(forwards)]
    """,
    )
    project.add("pytest.ini", "membudget_rows_file = rows.json.gz")
    done = project.run(
        "--membudget-gate=shop.0003", "--membudget-profile=few.json", "--membudget-limit=512Mi",
        "--membudget-json=results.json",
    )  # fmt: skip
    done.stdout.fnmatch_lines(["membudget: *rows file rows.json.gz (from the ini file)*"])
    [result] = project.read_results()
    assert result["verdict"] == "within", result["reason"]
    assert result["bytes_per_row"] > 2_300


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "none.json: no such file or directory; create one with `membudget sample`"),
        (b'{"membudget_rows": 2}', "has format 2, but this version reads format 1"),
        (b"[]", "has no rows; create it with `membudget sample`"),
        ("foreign", "membudget_rows_file, from the command line: "),
    ],
)
def test_files_that_can_t_be_used(project: Project, content: Any, error: str) -> None:
    project.check(READS_NOTES)
    if content == "foreign":
        rows = RowsFile(
            Database("sqlite", "3"), date(2026, 1, 1), {"nobodys": table({"a": "text"}, [["b"]])}
        )
        content = packed(rows, "none.json")
    if content is not None:
        Path(project.path, "none.json").write_bytes(content)
    done = project.run("--membudget-rows-file=none.json", "--collect-only")
    assert done.ret == 4
    assert error in done.stdout.str() + done.stderr.str()
