"""``membudget profile --check``: what the profile lacks for the project's models."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from profiles import document, membudget, write_project

ORDER = ("id", "note", "price")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": "not-there"})
    return tmp_path


def tables() -> dict[str, Any]:
    names = {
        "shop_order": ORDER,
        "shop_tag": ("id",),
        "shop_order_tags": ("id", "order_id", "tag_id"),
    }
    return {
        name: {
            "rows": 10,
            "columns": {one: {"type": "bigint", "nulls": 0, "distinct": 5} for one in columns},
        }
        for name, columns in names.items()
    }


def write(folder: Path, tables: dict[str, Any], days: int = 0, name: str = "membudget.json") -> str:
    taken = (datetime.now(timezone.utc) - timedelta(days=days)).date().isoformat()
    (folder / name).write_text(json.dumps(document(taken=taken, tables=tables)))
    return taken


def check(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    done = membudget(folder, "--check", *arguments)
    assert done.stderr == ""
    return done.returncode, [line.strip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("arguments", [(), ("other.json", "--database", "default")])
def test_a_good_one(folder: Path, arguments: tuple[str, ...]) -> None:
    name = arguments[0] if arguments else "membudget.json"
    taken = write(folder, tables(), days=90, name=name)
    summary = f"3 tables of postgresql 15.4, from the catalogue, taken on {taken} (90 days ago)"
    assert check(folder, *arguments) == (0, [f"{name}: {summary}"])


def test_what_is_missing(folder: Path) -> None:
    known = tables()
    del known["shop_tag"], known["shop_order"]["columns"]["note"]
    known["shop_order_tags"]["rows"] = None
    write(folder, known)
    status, lines = check(folder)
    assert (status, lines[1:]) == (
        1,
        [
            "missing: 1 column of shop.Order: note",
            "missing: shop.Tag (table shop_tag)",
            "never analysed: shop.Order_tags (table shop_order_tags); its row count is unknown",
        ],
    )


MIGRATIONS = {
    "0001_initial": """
        dependencies = []
        operations = [
            migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
            migrations.CreateModel("Order", [
                ("id", models.BigAutoField(primary_key=True)),
                ("cost", models.IntegerField()),
            ]),
        ]""",
    "0002_note": """
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("order", "note", models.TextField()),
            migrations.AlterField("order", "cost", models.BigIntegerField()),
        ]""",
    "0003_price": """
        dependencies = [("shop", "0002_note")]
        operations = [
            migrations.RenameField("order", "cost", "price"),
            migrations.AlterField("order", "price", models.IntegerField()),
        ]""",
    "0004_tags": """
        dependencies = [("shop", "0003_price")]
        operations = [
            migrations.SeparateDatabaseAndState(state_operations=[
                migrations.AddField("order", "tags", models.ManyToManyField("shop.Tag")),
            ]),
        ]""",
}


def migrate(folder: Path) -> None:
    (folder / "shop/migrations").mkdir()
    (folder / "shop/migrations/__init__.py").touch()
    for name, body in MIGRATIONS.items():
        head = "from django.db import migrations, models\nclass Migration(migrations.Migration):"
        text = f"{head}{body}"
        (folder / f"shop/migrations/{name}.py").write_text(text)


def test_what_a_branch_adds_is_no_fault(folder: Path) -> None:
    """Production has neither renamed the column nor made the table of tags."""
    migrate(folder)
    known = tables()
    known["shop_order"]["columns"]["cost"] = known["shop_order"]["columns"].pop("price")
    del known["shop_order_tags"]
    write(folder, known)
    status, lines = check(folder)
    assert (status, lines[1:]) == (
        0,
        [
            "added by shop.0003_price, which was not applied then: 1 column of shop.Order: price",
            "added by shop.0004_tags, which was not applied then: shop.Order_tags (table "
            "shop_order_tags)",
        ],
    )


def test_what_production_has_to_have_is_missing(folder: Path) -> None:
    """It has the table of tags, which comes after the note."""
    migrate(folder)
    known = tables()
    del known["shop_order"]["columns"]["note"], known["shop_tag"]
    write(folder, known)
    status, lines = check(folder)
    assert (status, lines[1:]) == (
        1,
        ["missing: 1 column of shop.Order: note", "missing: shop.Tag (table shop_tag)"],
    )


def test_migrations_that_cannot_be_loaded(folder: Path) -> None:
    migrate(folder)
    (folder / "shop/migrations/0005_no.py").write_text("raise KeyError('lost')")
    write(folder, tables())
    done = membudget(folder, "--check")
    assert done.returncode == 2
    assert "the project's migrations can't be loaded: KeyError: 'lost'" in done.stderr


def test_one_that_is_stale(folder: Path) -> None:
    write(folder, tables(), days=91)
    status, lines = check(folder)
    assert (status, lines[1]) == (1, "stale: it is 91 days old, more than 90; take a new profile")


def test_what_is_good_to_know(folder: Path) -> None:
    known = tables()
    known["legacy"] = known["old"] = known["shop_tag"]
    known["shop_order"]["columns"] = {name: {"type": "text"} for name in ORDER}
    write(folder, known)
    status, lines = check(folder)
    assert (status, lines[1:]) == (
        0,
        [
            "no statistics for shop.Order: run ANALYZE, or take the profile as a role that can "
            "read the tables",
            "tables without a model: legacy, old",
        ],
    )
