"""Generated rows that break a migration: what it expects is learned from the error."""

from __future__ import annotations

from typing import Any

from batch import both, checks, on_postgresql
from project import LIMIT, Project

MODELS = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel("Item", [
                ("id", models.BigAutoField(primary_key=True)),
                ("data", models.JSONField()),
                ("text", models.TextField()),
                ("code", models.CharField(max_length=40, unique=True)),
                ("status", models.CharField(max_length=20)),
                ("file", models.FileField(upload_to="files")),
                ("quantity", models.IntegerField()),
                ("owner_id", models.IntegerField(null=True)),
                ("owner_key", models.CharField(max_length=20)),
                ("unit_price", models.DecimalField(max_digits=12, decimal_places=2)),
                ("total", models.DecimalField(max_digits=12, decimal_places=2, null=True)),
            ]),
            migrations.CreateModel("Setting", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40, unique=True)),
                ("value", models.TextField()),
                ("is_default", models.BooleanField(default=False)),
                ("kind", models.CharField(max_length=9, choices=[("a", "A"), ("b", "B")])),
            ]),
        ]
"""
ROWS = 'rows={"shop.Item": 4_000}'
SETTINGS = 'rows={"shop.Item": 4_000, "shop.Setting": 40}'
GATE = ("--membudget-rows=*=4_000", "--membudget-limit=512Mi")


def prepare(project: Project) -> None:
    project.write("shop/migrations/0002_item.py", MODELS)
    project.last = "0002_item"


def loop(body: str, before: str = "pass") -> str:
    return f"""
import datetime, json, uuid
from decimal import Decimal
from django.db import connection
from django.db.models import F, IntegerField, JSONField
from django.db.models.functions import Cast

def forwards(apps, schema_editor):
    Item, Setting = apps.get_model("shop", "Item"), apps.get_model("shop", "Setting")
    {before}
    for item in Item.objects.iterator():
        {body}
"""


def learned(result: dict[str, Any]) -> str:
    """What the finding says, of a check that ended ``within``."""
    assert result["verdict"] == "within", result["reason"]
    (finding,) = [one for one in result["findings"] if one["code"] == "rows-learned"]
    return str(finding["message"])


KEYS = loop(
    """data = item.data
        kind = data["kind"]
        zip_code = data["home"]["zip_code"]
        for part in data["parts"]:
            int(part["sku"])"""
)


@both
@checks(KEYS, ROWS, LIMIT)
def test_keys_of_documents(result: dict[str, Any]) -> None:
    """All that the code asks for are learned from the first that is missing."""
    text = learned(result)
    assert "keys 'home', 'home.zip_code', 'kind', 'parts', 'parts.*', 'parts.*.sku'" in text
    assert "shop_item.data" in text


@both
@checks(KEYS, gate=True, options=GATE)
def test_the_gate_learns_in_its_dry_runs(result: dict[str, Any]) -> None:
    assert "'kind'" in learned(result)


@both
@checks(loop("pass", 'Item.objects.update(status=F("data__kind"))'), ROWS, LIMIT)
def test_keys_of_documents_that_the_database_reads(result: dict[str, Any]) -> None:
    """Without the key it is NULL, which the column can't hold."""
    assert "the key 'kind' in shop_item.data" in learned(result)


@both
@checks(loop('json.loads(item.text)["kind"]'), ROWS, LIMIT)
def test_keys_of_texts_that_are_read_as_json(result: dict[str, Any]) -> None:
    text = learned(result)
    assert "a JSON document in shop_item.text" in text
    assert "the key 'kind' in shop_item.text" in text
    assert result["samples"][-1]["rows_read"] == 4_000


@both
@checks(loop("int(item.text) + Decimal(item.code)"), ROWS, LIMIT)
def test_texts_that_are_numbers(result: dict[str, Any]) -> None:
    text = learned(result)
    assert "a number in shop_item.text" in text
    assert "a number in shop_item.code" in text


ROWS_AS_VALUES = loop(
    "pass",
    """for text, code in Item.objects.values_list("text", "code").iterator():
        datetime.date.fromisoformat(text)
        uuid.UUID(code)""",
)


@both
@checks(ROWS_AS_VALUES, ROWS, LIMIT)
def test_texts_that_are_dates_and_uuids(result: dict[str, Any]) -> None:
    text = learned(result)
    assert "a date in shop_item.text" in text
    assert "a UUID in shop_item.code" in text


@both
@checks(loop('datetime.datetime.strptime(item.text, "%d.%m.%Y")'), ROWS, LIMIT)
def test_dates_of_the_format_that_the_code_names(result: dict[str, Any]) -> None:
    assert "a date in shop_item.text" in learned(result)


@both
@checks(loop('datetime.datetime.fromisoformat(item.text + "+00:00")'), ROWS, LIMIT)
def test_times_of_which_the_code_adds_the_zone(result: dict[str, Any]) -> None:
    assert "a date in shop_item.text" in learned(result)


OVERWRITTEN = loop(
    "pass",
    """texts = list(Item.objects.values_list("text", flat=True))
    Item.objects.update(text="")
    for text in texts: int(text)""",
)


@both
@checks(OVERWRITTEN, atomic=False, gate=True, options=GATE)
def test_what_a_run_that_broke_has_overwritten(result: dict[str, Any]) -> None:
    """A dry run uses its rows up; those that teach are seeded again."""
    assert "a number in shop_item.text" in learned(result)


CASTS = loop(
    "pass",
    'Item.objects.annotate(n=Cast("text", IntegerField())).filter(n__gt=0)'
    '.update(quantity=Cast("code", IntegerField()))',
)


@on_postgresql
@checks(CASTS, ROWS, LIMIT)
def test_texts_that_the_database_casts(result: dict[str, Any], vendor: str) -> None:
    text = learned(result)
    assert "a number in shop_item.text" in text
    assert "a number in shop_item.code" in text


DOCUMENTS = loop(
    "pass",
    'Item.objects.annotate(d=Cast("text", JSONField())).filter(d__kind="x").update(quantity=1)',
)


@on_postgresql
@checks(DOCUMENTS, 'rows={"shop.Item": 500}', LIMIT)
def test_texts_that_the_database_reads_as_json(result: dict[str, Any], vendor: str) -> None:
    assert "rows-learned" in [one["code"] for one in result["findings"]]
    assert result["verdict"] != "error"


@both
@checks(loop('{"new": 1, "old": 2}[item.status]'), ROWS, LIMIT)
def test_values_that_a_dictionary_of_the_code_has(result: dict[str, Any]) -> None:
    assert "one of the values that the code knows in shop_item.status" in learned(result)


PRODUCT = loop("item.total = item.quantity * item.unit_price; item.save()")


@on_postgresql
@checks(loop("pass", 'Item.objects.update(total=F("quantity") * F("unit_price"))'), ROWS, LIMIT)
def test_products_that_fit_their_column(result: dict[str, Any], vendor: str) -> None:
    assert "numbers below 100,000" in learned(result)


@on_postgresql
@checks(PRODUCT, 'rows={"shop.Item": 500}', LIMIT)
def test_products_that_the_code_makes(result: dict[str, Any], vendor: str) -> None:
    assert "numbers below 100,000" in learned(result)


LOOKED_UP = loop("pass", 'Item.objects.exists() and Setting.objects.get(name="editors")')


@both
@checks(LOOKED_UP, gate=True, options=GATE)
def test_a_row_that_the_code_looks_up(result: dict[str, Any]) -> None:
    assert "one row with the shop_setting.name that it looks up" in learned(result)


ONE_OF_MANY = loop(
    "pass",
    "Item.objects.exists() and Setting.objects.get(is_default=True).pk"
    " != Setting.objects.get(kind='a').pk",
)


@both
@checks(ONE_OF_MANY, gate=True, options=GATE)
def test_the_only_row_with_a_value(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert "one row with the shop_setting.is_default that it looks up" in str(result["findings"])


TWICE = loop("pass", "[Setting.objects.create(name='x') for _ in range(1 + Item.objects.count())]")


@both
@checks(TWICE, gate=True, options=GATE)
def test_an_error_that_breaks_the_transaction(result: dict[str, Any]) -> None:
    """On SQLite Django raises another one then, as it checks the constraints."""
    assert "IntegrityError" in result["reason"], result["reason"]
    assert "TransactionManagementError" not in result["details"]


BY_KEY = loop("pass", "Item.objects.exists() and Setting.objects.get(pk=1)")


@both
@checks(BY_KEY, gate=True, options=GATE)
def test_a_row_of_a_key(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]


KEYS_OF_ROWS = loop("Setting.objects.get(pk=item.owner_id or 1).value")


@both
@checks(KEYS_OF_ROWS, gate=True, options=GATE)
def test_keys_without_a_foreign_key(result: dict[str, Any]) -> None:
    assert "the keys of shop.Setting in shop_item.owner_id" in learned(result)
    assert result["samples"][-1]["rows_read"] == 8_000


@both
@checks(loop("Setting.objects.get(pk=item.owner_key)"), gate=True, options=GATE)
def test_keys_in_texts(result: dict[str, Any]) -> None:
    """Of a generic foreign key, for example."""
    assert "the keys of shop.Setting in shop_item.owner_key" in learned(result)


MATCHING = """
def forwards(apps, schema_editor):
    Item, Setting = apps.get_model("shop", "Item"), apps.get_model("shop", "Setting")
    for item in Item.objects.filter(status="old"):
        Setting.objects.get(pk=item.owner_id)
"""


@both
@checks(MATCHING, gate=True, options=GATE)
def test_rows_that_match_a_filter_teach_as_well(result: dict[str, Any]) -> None:
    assert "the keys of shop.Setting" in learned(result)


FIRST = loop("setting.value", "setting = Setting.objects.first()")


@both
@checks(FIRST, gate=True, options=GATE)
def test_the_first_row_of_a_table(result: dict[str, Any]) -> None:
    """It is there in samples as well, where other tables make the memory grow."""
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == 4_001


@both
@checks(loop("assert item.pk < 0"), ROWS, LIMIT)
def test_an_assertion_that_generated_rows_fail(result: dict[str, Any]) -> None:
    assert "the rows of shop.Item were generated" in result["reason"]


FILES = loop(
    """with default_storage.open(item.file.name) as opened:
            assert opened.read()
        default_storage.delete(item.file.name) if item.pk < 0 else None""",
    "from django.core.files.storage import default_storage",
)


@both
@checks(FILES, ROWS, LIMIT)
def test_files_that_the_code_opens(result: dict[str, Any]) -> None:
    text = learned(result)
    assert "the name of a file that is there, of some bytes" in text
    assert result["samples"][-1]["rows_read"] == 4_000


@both
@checks(loop("open('/no/such/file')"), ROWS, LIMIT)
def test_a_file_that_is_not_the_rows(result: dict[str, Any]) -> None:
    assert "No such file" in result["reason"]


ONLY = loop("pass", "Item.objects.exists() and Setting.objects.get()")


@both
@checks(ONLY, gate=True, options=GATE)
def test_a_table_of_a_single_row(result: dict[str, Any]) -> None:
    assert "a single row of shop.Setting" in learned(result)
    assert result["rows"]["shop.Item"] == 4_000


@both
@checks(ONLY, SETTINGS, LIMIT)
def test_a_single_row_where_production_has_more(result: dict[str, Any]) -> None:
    """It would raise there, or the row count is wrong: nothing else can be said."""
    assert result["verdict"] == "inconclusive"
    assert "get() without a condition on shop.Setting" in result["reason"]
    assert "40 rows that production has" in result["reason"]


@both
@checks(loop("raise ValueError(item.pk)"), ROWS, LIMIT)
def test_an_error_that_teaches_nothing(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "the rows of shop.Item were generated" in result["reason"]
    assert "give rows with seed=" in result["reason"]


@both
@checks(loop('{"new": 1}[item.code]'), ROWS, LIMIT)
def test_what_a_row_held_that_can_not_be_made(result: dict[str, Any]) -> None:
    """Its column is unique, so that few rows can have a value of the dictionary."""
    assert result["verdict"] == "error"
    assert "the row was generated: `code` of shop.Item held '" in result["reason"]
    assert result["reason"].endswith(
        " expects one of the values that the code knows; give rows with seed= or `membudget sample`"
    )


MAKING = loop(
    """if not Setting.objects.filter(value=item.code, kind="b").exists():
            Setting.objects.create(pk=item.pk + 9, name=item.code, value="")"""
)


@both
@checks(MAKING, gate=True, options=GATE)
def test_rows_that_the_migration_makes_itself(result: dict[str, Any]) -> None:
    """Generated ones have the keys of those that it inserts, and it loads none of them."""
    assert result["verdict"] == "within", result["reason"]
    assert "no rows of shop.Setting" in learned(result)
    assert result["rows"] == {"shop.Item": 4_000}


LOADING = loop(
    'Setting.objects.create(pk=item.pk + 9, name=item.code, value="")',
    "list(Setting.objects.all())",
)


@both
@checks(LOADING, gate=True, options=GATE)
def test_rows_that_it_makes_beside_those_that_it_loads(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "the rows of shop.Item, shop.Setting were generated" in result["reason"]


# The states of the checks behind it can't be built.
REMAINING = 'if Setting.objects.exists(): raise RuntimeError("settings remain")'


@checks(loop("pass", REMAINING), gate=True, options=GATE)
def test_an_error_of_code_that_expects_no_rows(result: dict[str, Any]) -> None:
    assert result["verdict"] == "error"
    assert "the code raises this where it finds rows of shop.Setting" in result["reason"]
    assert result["reason"].endswith("--membudget-rows shop.Setting=0")


@both
@checks(loop("pass", REMAINING), gate=True, options=(*GATE, "--membudget-rows=shop.Setting=0"))
def test_a_row_count_of_zero_decides_it(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["rows"] == {"shop.Item": 4_000}
