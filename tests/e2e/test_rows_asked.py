"""Rows that a migration looks for are seeded, whichever way its conditions ask for them."""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import LIMIT, Project

MODELS = """
    from django.db import migrations, models

    def plant(apps, schema_editor):
        Node = apps.get_model("shop", "Node")
        Node.objects.create(path="0001", depth=1, numchild=0)

    class Migration(migrations.Migration):
        dependencies = [
            ("shop", "0001_initial"), ("contenttypes", "0002_remove_content_type_name"),
            ("auth", "0012_alter_user_first_name_max_length"),
        ]
        operations = [
            migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
            *(
                migrations.CreateModel(name, [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("path", models.CharField(max_length=255, unique=True)),
                    ("depth", models.PositiveIntegerField()),
                    ("numchild", models.PositiveIntegerField(default=0)),
                ])
                for name in ("Page", "Node")
            ),
            migrations.RunPython(plant),
            migrations.CreateModel("Item", [
                ("id", models.BigAutoField(primary_key=True)),
                ("slug", models.CharField(max_length=80)),
                ("email", models.EmailField()),
                ("data", models.JSONField(default=dict)),
                ("created", models.DateTimeField()),
                ("start_date", models.DateField()),
                ("end_date", models.DateField(null=True)),
                ("quantity", models.IntegerField()),
                ("order", models.ForeignKey("shop.Order", models.CASCADE, related_name="items")),
                ("content_type", models.ForeignKey("contenttypes.ContentType", models.CASCADE)),
                ("tags", models.ManyToManyField("shop.Tag")),
            ]),
            migrations.CreateModel(
                "Embed",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("url", models.URLField()),
                    ("width", models.IntegerField(null=True)),
                    ("hash", models.CharField(max_length=32)),
                ],
                options={"unique_together": {("url", "width")}},
            ),
            migrations.CreateModel(
                "Link",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("item", models.ForeignKey("shop.Item", models.CASCADE)),
                    ("language", models.CharField(max_length=15)),
                    ("path", models.CharField(max_length=255, null=True)),
                    ("order_key", models.BigIntegerField(null=True)),
                ],
                options={"unique_together": {("item", "language")}},
            ),
            migrations.CreateModel("Size", [
                ("code", models.CharField(max_length=1, primary_key=True)),
                ("name", models.CharField(max_length=20)),
            ]),
        ]
"""
ASKED = {
    "at least": "Item.objects.filter(quantity__gte=10**7)",
    "less": "Item.objects.filter(quantity__lt=-5)",
    "between": "Item.objects.filter(quantity__range=(5, 6))",
    "since": "Item.objects.filter(created__gte=timezone.now() - timedelta(30))",
    "before": "Item.objects.filter(created__lt=timezone.now() - timedelta(9000))",
    "long": "Item.objects.annotate(n=Length('slug')).filter(n__gt=70)",
    "beside what it excludes": "Item.objects.exclude(slug='new').filter(quantity=-7)",
    "a row there before": "Item.objects.filter(content_type=types.get(model='order'))",
    "values of a row there before": (
        "Item.objects.filter(content_type__app_label='shop', content_type__model='order')"
    ),
    "values of its parents": "Item.objects.filter(content_type__model='order')",
    "of a group": "Group.objects.filter(permissions__codename='add_user')",
    "without children": "Order.objects.filter(items__isnull=True)",
    "a pattern": r"Item.objects.filter(slug__regex=r'^[a-z]+-\d+$')",
    "a pattern in any case": "Item.objects.filter(slug__iregex='foo')",
    "any case": "Item.objects.filter(slug__iexact='Foo')",
    "what is not in lower case": "Item.objects.exclude(email=Lower('email'))",
    "a part of a document": "Item.objects.filter(data__kind='x')",
    "one of two": "Item.objects.filter(data__kind__in=['x', 'y'])",
    "a nested part": "Item.objects.filter(data__a__b=3, data__active=True)",
    "a part of an array": "Item.objects.filter(data__lines__0__sku='x')",
    "a key": "Item.objects.filter(data__has_key='legacy')",
    "a key by its null": "Item.objects.filter(data__title__isnull=False)",
    "other values of a key": "Item.objects.exclude(data__kind='x')",
    "a whole document": "Item.objects.filter(data={})",
    "whose children do not exist": (
        "Order.objects.filter(~Exists(Item.objects.filter(order=OuterRef('pk'))))"
    ),
    "that no child has": "Order.objects.exclude(pk__in=Item.objects.values('order_id'))",
    "with a count of none": "Order.objects.annotate(n=Count('items')).filter(n=0)",
    "of one parent": "Item.objects.filter(order_id=5)",
    "of a parent with a large key": "Item.objects.filter(order__pk=100_000)",
    "of a day": "Item.objects.filter(created__date=date(2020, 1, 31))",
    "without links": "Item.objects.filter(tags__isnull=True)",
}
GATE = ("--membudget-rows=*=200", "--membudget-limit=512Mi")


def prepare(project: Project) -> None:
    project.write("shop/migrations/0002_item.py", MODELS)
    project.write("shop/models.py", "")
    project.last = "0002_item"
    project.profile({"shop_order": 400_000, "shop_item": 200}, "wide.json", note=2000, data=6000)


def listing(which: str) -> str:
    return f"""
from datetime import date, timedelta
from django.db.models import CharField, Count, Exists, F, OuterRef, Subquery, Value, Window
from django.db.models.functions import MD5, Concat, Length, Lower, RowNumber
from django.utils import timezone

def forwards(apps, schema_editor):
    Order, Item = apps.get_model("shop", "Order"), apps.get_model("shop", "Item")
    Group, Embed = apps.get_model("auth", "Group"), apps.get_model("shop", "Embed")
    Link = apps.get_model("shop", "Link")
    types = apps.get_model("contenttypes", "ContentType").objects
    list({(ASKED | SEVERAL)[which]})
"""


@both
@checks(listing, gate=True, options=GATE)
@pytest.mark.parametrize("which", ASKED)
def test_rows_that_a_condition_asks_for(result: dict[str, Any], which: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    last = result["samples"][-1]
    assert last["rows_read"] >= max(last["rows"].values()) / 2


SEVERAL = {
    "children": "Order.objects.annotate(n=Count('items')).filter(n__gt=3)",
    "the same in one column": "Item.objects.values('slug').annotate(n=Count('*')).filter(n__gt=1)",
    "the same in two columns": (
        "Item.objects.values('order', 'slug').annotate(n=Count('id')).filter(n__gt=1)"
    ),
    "the same in an expression": (
        "Item.objects.annotate(both=Concat('slug', Value('|'), 'order__pk',"
        " output_field=CharField())).values('both').annotate(n=Count('both')).filter(n__gt=1)"
    ),
    "the same in a computed column": (
        "Item.objects.values('slug').annotate(n=Count('*')).filter(n__gt=1)"
        " if Item.objects.update(slug=Concat('email', Value('-'))) is not None else ()"
    ),
    "the same in a column computed of unique ones": (
        "Embed.objects.values('hash').annotate(n=Count('*')).filter(n__gt=1)"
        " if Embed.objects.update(hash=MD5('url')) is not None else ()"
    ),
    "the same in a column computed of a parent": (
        "Link.objects.values('order_key', 'language', 'path').annotate(n=Count('*'))"
        ".filter(n__gt=1, path__isnull=False) if Link.objects.update(order_key=Subquery("
        "Item.objects.filter(pk=OuterRef('item_id')).values('order_id')[:1])) is not None else ()"
    ),
    "others of a group": (
        "Item.objects.annotate(n=Window(RowNumber(), 'order', order_by='id')).filter(n__gt=1)"
    ),
}


@both
@checks(listing, gate=True, options=GATE)
@pytest.mark.parametrize("which", SEVERAL)
def test_several_rows_that_a_condition_asks_for(result: dict[str, Any], which: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] >= 20
    assert "the same in " in str(result["findings"])


OF_PARENTS = """
def forwards(apps, schema_editor):
    Order, Item = apps.get_model("shop", "Order"), apps.get_model("shop", "Item")
    found = [list(Item.objects.filter(order_id=key).select_related("order"))
             for key in (3, 1, 100_000)]
    if found[2]:
        assert all(found)
        assert Order.objects.filter(pk__in=(3, 1, 100_000)).count() == 3
"""


@both
@checks(OF_PARENTS, gate=True, options=GATE)
def test_several_parents_by_their_keys(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] >= 200


OF_GROUPS = """
def forwards(apps, schema_editor):
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    types = apps.get_model("contenttypes", "ContentType").objects
    chosen, _ = Permission.objects.get_or_create(
        content_type=types.get(model="order"), codename="choose_order", defaults={"name": "Choose"}
    )
    for group in Group.objects.filter(permissions__codename="add_user"):
        group.permissions.add(chosen)
    list(Group.objects.filter(permissions=chosen))
"""


@both
@checks(OF_GROUPS, gate=True, options=GATE)
def test_groups_by_one_of_several_permissions(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]


IN_ORDER = """
def forwards(apps, schema_editor):
    for item in apps.get_model("shop", "Item").objects.all():
        assert item.end_date is None or item.start_date <= item.end_date
"""
OUT_OF_ORDER = """
from django.db.models import F

def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Item").objects.filter(end_date__lt=F("start_date")))
"""


@both
@checks(IN_ORDER, gate=True, options=GATE)
def test_a_start_is_before_its_end(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]


@both
@checks(OUT_OF_ORDER, gate=True, options=GATE)
def test_an_end_before_its_start_where_one_is_looked_for(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] > 50


def tree(model: str) -> str:
    return f"""
def forwards(apps, schema_editor):
    Node = apps.get_model("shop", "{model}")
    for node in Node.objects.filter(depth__gt=1).order_by("path"):
        above = Node.objects.get(path=node.path[:-4])
        assert node.depth == above.depth + 1 == len(node.path) / 4
        assert above.depth == 1 or above.numchild
    assert Node.objects.filter(depth=1).count() <= 1
"""


@both
@checks(tree, gate=True, options=GATE)
@pytest.mark.parametrize("model", ["Page", "Node"])
def test_rows_that_are_a_tree(result: dict[str, Any], model: str) -> None:
    """A node has a root that was there before."""
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] >= 2 * 199


CONTAINING = """
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Item").objects.filter(data__contains={"kind": "x", "n": [1]}))
"""


@on_postgresql
@checks(CONTAINING, gate=True, options=GATE)
def test_a_document_that_contains_another(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == 200


OF_WIDTH = """
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Item").objects.filter(data__kind="x"))
"""


@both
@checks(OF_WIDTH, 'rows={"shop.Item": 200}', LIMIT, options=("--membudget-profile=wide.json",))
def test_documents_with_a_part_are_as_wide_as_production_s(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    found = {one["code"]: one["message"] for one in result["findings"]}
    assert "shop_item.data = {'kind': 'x'}" in found["rows-asked"]
    # PostgreSQL compresses them.
    assert int(found["row-widths"].split(" data ")[1].split(",")[0]) > 2_000


GUARDED = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    if Order.objects.filter(note="legacy").exists():
        list(Order.objects.all())
"""


@checks(GUARDED, 'rows={"shop.Order": 40_000}', LIMIT)
def test_what_a_row_with_a_value_leads_to_is_measured(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] > 40_000


@checks(GUARDED, LIMIT, options=("--membudget-profile=wide.json",))
def test_rows_beside_one_that_is_looked_for_are_as_wide_as_in_production(
    result: dict[str, Any],
) -> None:
    """Production's other rows, which the code loads as well, have texts of 2,000 bytes."""
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["bytes_per_row"] > 2_000


NAMED = """
def forwards(apps, schema_editor):
    Customer, Order = apps.get_model("shop", "Customer"), apps.get_model("shop", "Order")
    {condition}
        list(Order.objects.all())
"""
NAMING = {
    "exists": 'if Customer.objects.filter(email="a@example.com").exists():',
    "first": 'if Customer.objects.filter(email="a@example.com").first():',
    "get or create": 'if not Customer.objects.get_or_create(email="a@example.com")[1]:',
}


def named(which: str) -> str:
    return NAMED.format(condition=NAMING[which])


@checks(named, 'rows={"shop.Order": 40_000}', LIMIT)
@pytest.mark.parametrize("which", NAMING)
def test_what_a_row_with_a_unique_value_leads_to_is_measured(
    result: dict[str, Any], which: str
) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] >= 40_000


@checks(named, gate=True, options=GATE)
@pytest.mark.parametrize("which", NAMING)
def test_the_gate_sees_what_a_row_with_a_unique_value_leads_to(
    result: dict[str, Any], which: str
) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] >= 200


OF_ONE = """
def forwards(apps, schema_editor):
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    group, _ = Group.objects.get_or_create(name="Staff")
    {body}
"""
SETTING = OF_ONE.format(
    body="""group.permissions.set(Permission.objects.filter(codename="add_user"))
    list(Group.objects.all())"""
)
MEMBERS = OF_ONE.format(body="list(Group.permissions.through.objects.filter(group=group))")


@both
@checks(SETTING, gate=True, options=GATE)
def test_what_refers_to_a_row_that_the_migration_makes_if_it_is_missing(
    result: dict[str, Any],
) -> None:
    assert result["verdict"] == "within", result["reason"]


@both
@checks(MEMBERS, gate=True, options=GATE)
def test_what_only_goes_through_rows_that_refer_to_one(result: dict[str, Any]) -> None:
    """How many of production's rows do is not known."""
    assert result["verdict"] == "inconclusive", result["reason"]


SIZES = """
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Size").objects.all())
"""


@both
@checks(SIZES, gate=True, options=GATE)
def test_rows_of_a_model_that_can_not_have_so_many(result: dict[str, Any]) -> None:
    """Nobody has said that it has."""
    assert result["verdict"] == "within", result["reason"]
    rows = result["rows"]["shop.Size"]
    assert 20 < rows < 200
    found = {one["code"]: one["message"] for one in result["findings"]}
    assert f": {rows} shop.Size; " in found["rows-fewer"]


@both
@checks(SIZES, gate=True, options=(*GATE, "--membudget-rows=shop.Size=200"))
def test_rows_that_are_said_to_be_more_than_there_can_be(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "give a row count of " in result["reason"]
