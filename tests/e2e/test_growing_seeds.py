"""Rows of a seed function or a fixture, called once, that grow inside the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from batch import both, checks
from project import LIMIT, Project

MODELS = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel(name, [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40)),
            ])
            for name in ("Tag", "Settings")
        ] + [
            migrations.CreateModel("Node", [
                ("id", models.BigAutoField(primary_key=True)),
                ("depth", models.IntegerField()),
                ("parent", models.ForeignKey("self", models.CASCADE, null=True)),
            ]),
            migrations.CreateModel("Profile", [
                ("customer", models.OneToOneField(
                    "shop.Customer", models.CASCADE, primary_key=True)),
                ("email", models.EmailField(max_length=254)),
            ]),
            migrations.CreateModel("Line", [
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey("shop.Order", models.CASCADE, related_name="lines")),
                ("price_of_order", models.IntegerField()),
                ("node", models.ForeignKey("shop.Node", models.CASCADE, null=True)),
            ]),
            migrations.AddField("Order", "tags", models.ManyToManyField("shop.Tag")),
        ]
"""
SEEDS = """
CALLS = "calls.txt"

def seed(apps, rows, using):
    Customer, Order, Line, Tag, Node, Profile, Settings = (
        apps.get_model("shop", name)
        for name in ("Customer", "Order", "Line", "Tag", "Node", "Profile", "Settings")
    )
    with open(CALLS, "a") as file:
        print(rows["shop.Order"], file=file)
    Settings.objects.using(using).create(name="one")
    tags = Tag.objects.using(using).bulk_create(Tag(name=name) for name in "abc")
    parent = None
    for depth in range(5):
        parent = Node.objects.using(using).create(depth=depth, parent=parent)
    customers = Customer.objects.using(using).bulk_create(
        Customer(email=f"anna-{'abcdefghij'[n % 10] * (n // 10 + 1)}@example.com")
        for n in range(rows["shop.Customer"])
    )
    Profile.objects.using(using).bulk_create(
        Profile(customer=one, email=one.email) for one in customers
    )
    # One customer has half of the orders.
    orders = Order.objects.using(using).bulk_create(
        Order(
            customer=customers[n if n % 2 and n < len(customers) else 0], price=n,
            number=f"ORD-2024-{n:05}", note="new" if n % 3 else "it's 100% sent",
            total=None if n % 4 else n,
        )
        for n in range(rows["shop.Order"])
    )
    Line.objects.using(using).bulk_create(
        Line(order=order, price_of_order=order.price, node=parent if order.price % 2 else None)
        for order in orders for _ in range(2)
    )
    through = Order.tags.through
    through.objects.using(using).bulk_create(
        through(order_id=order.pk, tag_id=tag.pk) for order in orders for tag in tags[:2]
    )

def empty(apps, rows, using):
    pass
"""
# What it asserts holds of all rows of each sample.
ASSERTS = """
import re
from collections import Counter

def forwards(apps, schema_editor):
    Customer, Order, Line, Tag, Node, Profile, Settings = (
        apps.get_model("shop", name)
        for name in ("Customer", "Order", "Line", "Tag", "Node", "Profile", "Settings")
    )
    orders = list(Order.objects.prefetch_related("tags"))
    count = len(orders)
    if not count:
        return  # while states are built
    assert count > 1000
    assert all(re.fullmatch(r"ORD-2024-\\d+", order.number) for order in orders)
    assert Counter(order.note for order in orders).keys() == {"new", "it's 100% sent"}
    assert 0.7 < sum(order.total is None for order in orders) / count < 0.8
    assert all(len(order.tags.all()) == 2 for order in orders)
    of_customers = Counter(order.customer_id for order in orders)
    assert of_customers.most_common(1)[0][1] >= 300
    customers = list(Customer.objects.all())
    assert abs(len(customers) - count / 10) <= 8
    assert all(re.fullmatch(r"anna-[a-j]*\\d*@example.com", one.email) for one in customers)
    assert len(of_customers) > len(customers) / 3
    lines = Line.objects.select_related("order")
    assert len(lines) == 2 * count
    assert all(line.price_of_order == line.order.price for line in lines)
    assert Node.objects.count() == 5 and Settings.objects.count() == 1 and Tag.objects.count() == 3
    assert Line.objects.exclude(node=None).count() > count / 2
    assert 0 < Profile.objects.count() <= len(customers)
"""
ROWS = 'rows={"shop.Order": 10_000, "shop.Customer": 1_000}'
LOADS = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.select_related("customer"):
        assert order.customer.email.endswith("@example.com")
"""


def fixture() -> str:
    customer = {"model": "shop.customer", "pk": 7, "fields": {"email": "a@example.com"}}
    fields = {"customer": 7, "note": "x" * 2000, "price": 1, "tags": []}
    orders = (
        {"model": "shop.order", "pk": n, "fields": {**fields, "number": f"N{n}"}}
        for n in range(1, 101)
    )
    return json.dumps([customer, *orders])


def prepare(project: Project) -> None:
    project.write("shop/migrations/0002_more.py", MODELS)
    project.last = "0002_more"
    project.write("seeds.py", SEEDS)
    project.write("shop/fixtures/orders.json", fixture())


@both
@checks(ASSERTS, ROWS, LIMIT, 'seed="seeds.seed"', "grow=True")
def test_rows_of_a_seed_grow_as_copies(result: dict[str, Any]) -> None:
    """Unique values are new, and the copy of a row refers to the copies of its parents."""
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows"] == {"shop.Order": 10_000, "shop.Customer": 1_000}


@both
@checks(LOADS, 'rows={"shop.Order": 10_000, "shop.Customer": 10}', LIMIT, 'seed="orders.json"')
def test_rows_of_a_fixture_grow(result: dict[str, Any]) -> None:
    """Each has a note of 2,000 bytes."""
    assert result["verdict"] == "within", result["reason"]
    assert result["bytes_per_row"] > 2_000
    assert result["samples"][-1]["rows"]["shop.Order"] == 10_000


@checks(LOADS, ROWS, LIMIT, 'seed="seeds.empty"', "grow=True")
def test_a_seed_that_makes_no_rows_can_t_grow(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "seeds.empty made 0 rows, of which" in result["reason"]
    assert "make about 625" in result["reason"]


def test_a_seed_that_grows_is_called_once(project: Project) -> None:
    project.write("shop/migrations/0002_more.py", MODELS)
    project.last = "0002_more"
    project.write("seeds.py", SEEDS)
    project.check(LOADS, ROWS, LIMIT, 'seed="seeds.seed"', "grow=True")
    [result] = project.results()
    assert result["verdict"] == "within", result["reason"]
    assert len(result["samples"]) == 2
    assert (project.path / "calls.txt").read_text().split() == ["625"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["grow=True"], "grow=True has no rows to grow: add seed="),
        (['seed="seeds.seed"', "grow=1"], "grow=1 is neither True nor False"),
        (['seed="orders.json"', "grow=False"], "the rows of the fixture 'orders.json' always grow"),
        (
            ['seed="nowhere.json"'],
            "there is no such fixture here, in FIXTURE_DIRS or in the folder",
        ),
    ],
)
def test_seeds_that_can_t_grow(project: Project, arguments: list[str], error: str) -> None:
    prepare(project)
    project.check(LOADS, ROWS, LIMIT, *arguments)
    done = project.run()
    assert error in done.stdout.str() + done.stderr.str()
