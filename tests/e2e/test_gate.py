"""Migrations checked with no test written: what is collected, and what each item says.

What a gate means is asked of the selection itself in tests/unit/project/test_selection.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import LOOP, STREAM, Project

LIMIT = "--membudget-limit=512Mi"
GATE = (LIMIT, "--membudget-rows=*=40_000")
# So few that one sample has all of them.
FEW = (LIMIT, "--membudget-rows=*=15")
FIRST, SECOND = "shop/migrations/0001_initial.py", "shop/migrations/0002_change.py"
TAG = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "{after}")]
        operations = [
            migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
        ]
"""


def collected(project: Project, *arguments: str) -> list[str]:
    """Node ids of the gate's items, in order."""
    run = project.run("--collect-only", "-q", *GATE, *arguments)
    assert run.ret in (0, 5), run.stdout.str() + run.stderr.str()
    return [line for line in run.outlines if line.endswith("::membudget")]


def prepare(project: Project) -> None:
    """A table without a model, and two profiles."""
    project.migration(
        "0002_legacy",
        """
        def forwards(apps, schema_editor):
            schema_editor.execute("CREATE TABLE legacy (id integer)")
        """,
    )
    project.profile({"shop_order": 2_000}, "few.json", note=50)
    project.profile({"shop_order": 4_000}, "more.json", note=50)


def test_an_item_for_each_migration_of_the_project(project: Project) -> None:
    """The project's tests are neither collected nor imported, unless paths or the ini file ask."""
    project.migration("0002_change", STREAM)
    project.write(
        "test_other.py", "from pathlib import Path\nPath('imported').touch()\ndef test(): 0\n"
    )
    project.write("shop/test_broken.py", "import nothing_such\n")
    project.write("deep/tests/conftest.py", "import nothing_such\n")
    project.add("pytest.ini", "testpaths = test_other.py shop")
    items = [f"{FIRST}::membudget", f"{SECOND}::membudget"]
    for options in ((), ("-n1",), ("-k", "000"), ("--doctest-modules",)):
        run = project.run("--collect-only", "-q", *GATE, "--membudget-gate", *options)
        assert [line for line in run.outlines if "::" in line] == items
        assert run.ret == 0
    assert not (project.path / "imported").exists()
    (project.path / "shop/test_broken.py").unlink()
    both = ["test_other.py::test", *items]
    run = project.run("--collect-only", "-q", *GATE, "test_other.py", "shop", "--membudget-gate")
    assert run.outlines[: len(both)] == both
    project.add("pytest.ini", "membudget_gate = own")
    assert project.run("--collect-only", "-q", *GATE).outlines[: len(both)] == both


def test_paths_and_keywords_choose_items(project: Project) -> None:
    project.migration("0002_change", STREAM)
    second = [f"{SECOND}::membudget"]
    *packages, last = collected(project, "--membudget-gate=all", "-k", "content or 0002_change")
    assert [last] == second
    assert packages[0].endswith("contenttypes/migrations/0001_initial.py::membudget")
    assert collected(project, "--membudget-gate=all", "shop") == [f"{FIRST}::membudget", *second]
    assert collected(project, "--membudget-gate=all", *second) == second
    assert collected(project, "--membudget-gate", SECOND) == second


def test_a_folder_without_tests_is_gated(project: Project) -> None:
    project.write("conftest.py", 'collect_ignore_glob = ["*/migrations/*"]\n')
    project.write("shop/migrations/old/test_ignored.py", "def test_ignored(): assert False\n")
    ignored = ("-onorecursedirs=migrations", "--ignore-glob=*/migrations/*", "--ignore=shop")
    run = project.run("--collect-only", "-q", *GATE, "--membudget-gate", *ignored)
    assert [line for line in run.outlines if "::" in line] == [f"{FIRST}::membudget"]


def test_each_folder_is_read_once(project: Project) -> None:
    """Otherwise an app of 250 migrations takes minutes to collect."""
    names = ["0001_initial", "0002_a", "0003_b", "0004_c"]
    for name in names[1:]:
        project.migration(name, STREAM)
    project.write(
        "conftest.py",
        """
        def pytest_collect_file(file_path):
            with open("read.txt", "a") as file:
                file.write(f"{file_path.stem}\\n")
        """,
    )
    assert len(collected(project, "--membudget-gate")) == len(names)
    assert sorted((project.path / "read.txt").read_text().split()) == names


def test_a_loop_is_found_and_a_schema_change_costs_nothing(project: Project, vendor: str) -> None:
    project.migration("0002_change", LOOP)
    project.write("shop/migrations/0003_tag.py", TAG.format(after="0002_change"))
    run = project.run(
        "--membudget-gate",
        "--membudget-limit=64Mi",
        "--membudget-rows=*=400_000",
        "--membudget-json=results.json",
        "--membudget-html=report.html",
        "--membudget-markdown=report.md",
    )
    run.assert_outcomes(passed=2, failed=1)
    skip_reason = "2 migrations access no table whose size affects memory"
    run.stdout.fnmatch_lines([f"{skip_reason}*"])
    for report in ("report.html", "report.md"):
        assert skip_reason in (project.path / report).read_text()
    results = {result["migration"]: result for result in project.read_results()}
    assert results["shop.0002_change"]["verdict"] == "exceeds"
    assert list(results["shop.0002_change"]["rows"]) == ["shop.Order", "shop.Customer"]
    assert results["shop.0002_change"]["nodeid"] == f"{SECOND}::membudget"
    tag = results["shop.0003_tag"]
    assert (tag["verdict"], tag["samples"], tag["rows"]) == ("within", [], {})
    assert tag["reason"] == "shop.0003_tag loads no rows: the database executes its operations."
    # The state with it is built, in which its peak was read.
    assert tag["duration_s"] < 3
    assert tag["peak_bytes"] < tag["peak_high_bytes"] < 64 * 2**20


def with_models(body: str) -> str:
    return f"""
from django.db.models import Count, Q

def forwards(apps, schema_editor):
    Customer, Order = apps.get_model("shop", "Customer"), apps.get_model("shop", "Order")
    {body}
"""


A_FEW_ROWS = """Order.objects.filter(pk=7).first()
    Order.objects.count()
    list(Order.objects.raw("SELECT id FROM shop_order WHERE number = 'X'"))
    Customer.objects.get_or_create(email="new@example.com")
    Customer.objects.create(email="another@example.com")
"""


@checks(with_models(A_FEW_ROWS), gate=True, options=GATE)
def test_a_few_rows_are_no_growth(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["rows"]) == ("within", {}), result["reason"]
    assert all(rows <= 20 for one in result["samples"] for rows in one["rows"].values())
    assert result["peak_bytes"] == max(one["peak_bytes"] for one in result["samples"])
    assert result["reason"].endswith("0001_it accesses no table whose size affects memory.")


@checks(STREAM, gate=True, options=(LIMIT, "--membudget-rows=shop.Customer=5_000"))
def test_rows_that_nobody_knows_of_are_no_pass(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "accesses shop.Order, whose production row count is unknown" in result["reason"]


STAYS = """
from django.core.management.color import no_style

def forwards(apps, schema_editor):
    order = apps.get_model("shop", "Order")
    for sql in schema_editor.connection.ops.sequence_reset_sql(no_style(), [order]):
        schema_editor.execute(sql)
    schema_editor.execute(
        'CREATE MATERIALIZED VIEW few AS SELECT id FROM "shop_order" WHERE "price" < 0'
    )
"""


@on_postgresql
@checks(STAYS, gate=True, options=FEW)
def test_a_statement_whose_rows_stay_in_the_database(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["reason"].endswith("accesses no table whose size affects memory.")


def test_beside_other_options(project: Project) -> None:
    # The limit has to be one that what the gate tells apart fits.
    body = "def forwards(apps, schema_editor):\n    kept = b'x' * (200 << 20)\n"
    project.migration("0002_change", body)
    project.write("test_other.py", "def test_other(): pass\n")
    small = ("--membudget-gate", "--membudget-limit=128Mi", "--membudget-rows=*=3_000")
    project.run(".", *small, "-n2", "--no-migrations").assert_outcomes(passed=2, failed=1)
    project.run(*small, "--lf", "--collect-only").stdout.fnmatch_lines(["*1 test collected*"])
    project.run(*small, "--reuse-db", "-x", "--ff").assert_outcomes(failed=1)


def test_migrations_that_live_elsewhere(project: Project) -> None:
    (project.path / "history").mkdir()
    project.write("history/__init__.py", "")
    for name in ("__init__.py", "0001_initial.py"):
        (project.path / "shop/migrations" / name).rename(project.path / "history" / name)
    project.add("settings.py", 'MIGRATION_MODULES = {"shop": "history"}')
    assert collected(project, "--membudget-gate") == ["history/0001_initial.py::membudget"]


NONE_OF_THEM = with_models(
    'list(Customer.objects.filter(email="nobody@example.com"))\n'
    "    list(Order.objects.filter(price=-1))"
)


@checks(NONE_OF_THEM, gate=True, options=(LIMIT, "--membudget-profile=few.json"))
def test_tables_with_few_rows_are_no_danger(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    few = "accesses only tables with too few rows to affect memory: 2,000 shop.Order."
    assert result["reason"].endswith(few)


@checks(NONE_OF_THEM, gate=True, options=(LIMIT, "--membudget-profile=more.json"))
def test_tables_with_more_rows_are_seeded(result: dict[str, Any]) -> None:
    assert result["rows"] == {"shop.Order": 4_000}


LEGACY = """
def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM legacy")
        rows = cursor.fetchall()
"""


@checks(LEGACY, gate=True, options=FEW)
def test_a_table_without_a_model_is_no_pass(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    said = "0001_it accesses tables that have no model, so they can't be seeded: legacy"
    assert said in result["reason"]


def listing(chosen: str) -> str:
    return with_models(f"list(Order.objects.{chosen})")


@checks(listing, gate=True, options=FEW)
@pytest.mark.parametrize(
    "chosen",
    [
        'filter(number__startswith="X")',
        "filter(pk__gt=10**9)",
        'filter(note__regex="^(?=X)")',
        "raw(\"SELECT id FROM shop_order WHERE note || number = 'X'\")",
        'values("number").annotate(times=Count("pk")).filter(times__gt=1)',
        'filter(Q(number="X") | Q(note__regex="^(?=X)"))',
    ],
)
def test_a_filter_that_no_row_meets_is_no_pass(result: dict[str, Any], chosen: str) -> None:
    assert result["verdict"] == "inconclusive"
    assert "touched none of the seeded rows" in result["reason"]


ASKED = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    Order.objects.filter(note__startswith="legacy", total__isnull=True).update(total=0)
    for order in Order.objects.filter(note__startswith="legacy", price=-1){how}:
        order.total = 0
"""


@both
@checks(ASKED.format(how=".iterator()"), gate=True, options=FEW)
def test_rows_have_the_values_that_it_filters_by(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["samples"][-1]["rows_read"] == result["samples"][-1]["rows_written"] == 15
    [asked] = [one["message"] for one in result["findings"] if one["code"] == "rows-asked"]
    assert "shop_order.note = 'legacy', shop_order.price = -1; the share" in asked


STATES = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("Order", "state", models.CharField(default="open", max_length=20)),
        ]
"""


@pytest.mark.parametrize(("width", "verdict"), [(4, "exceeds"), (9, "inconclusive")])
def test_a_default_is_what_rows_have(project: Project, width: int, verdict: str) -> None:
    """Unless the profile's widths are those of other values."""
    project.write("shop/migrations/0002_state.py", STATES)
    project.last = "0002_state"
    project.migration("0003_it", LOOP.replace("all()", 'filter(state="open")'))
    project.profile({"shop_order": 100_000}, note=400, state=width)
    result = project.result("--membudget-gate=shop.0003", "--membudget-limit=100Mi")
    assert result["verdict"] == verdict, result["reason"]


TURNS = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.filter(note="first"):
        order.total = 1
    for order in Order.objects.filter(note="second", price__in=[-1, -2]).order_by("total"):
        order.total = 2
"""


@checks(TURNS, gate=True, options=GATE)
def test_values_take_turns(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["samples"][-1]["rows_read"] == pytest.approx(40_000, abs=10)
    messages = " ".join(one["message"] for one in result["findings"])
    assert "shop_order.note = 'first' or 'second', shop_order.price = -1" in messages
    over = [result[key] - result["baseline_bytes"] for key in ("peak_bytes", "peak_high_bytes")]
    assert over[1] == pytest.approx(2 * over[0], rel=0.3)


# What it accesses, with the rows that are seeded for it, and how many of them it reads.
ACCESSES = {
    "that only rows lead to": (
        "for order in Order.objects.iterator(): order.customer.email",
        {"shop.Customer": 15, "shop.Order": 15},
        30,
    ),
    "that only rows with a value lead to": (
        'if {order.customer_id for order in Order.objects.filter(note="legacy").iterator()}:\n'
        "        list(Customer.objects.all())",
        {"shop.Customer": 15, "shop.Order": 15},
        30,
    ),
    "alone": (
        'Customer.objects.create(email="new@example.com")\n'
        "    for customer in Customer.objects.iterator(): customer.email",
        {"shop.Customer": 15},
        16,
    ),
}


@checks(lambda which: with_models(ACCESSES[which][0]), gate=True, options=FEW)
@pytest.mark.parametrize("which", ACCESSES)
def test_tables_that_it_accesses_are_seeded(result: dict[str, Any], which: str) -> None:
    _, rows, read = ACCESSES[which]
    assert (result["verdict"], result["rows"]) == ("within", rows), result["reason"]
    assert result["samples"][-1]["rows_read"] == read


@checks(ASKED.format(how=""), gate=True, options=("--membudget-limit=64Mi", GATE[1]))
def test_what_too_many_rows_with_a_value_would_do_is_inconclusive(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "the limit is 64 MiB. It fits up to " in result["reason"]
    assumed = "This assumes that every row has shop_order.note = 'legacy', shop_order.price = -1"
    assert assumed in result["reason"]


@pytest.mark.parametrize("end", ["os._exit(0)", "1 / 0"])
def test_a_dry_run_that_breaks_is_no_pass(project: Project, end: str) -> None:
    """In which ways a process can end: test_outcomes.py."""
    project.migration("0002_change", with_models(f"import os\n    {end}"))
    result = project.result("--membudget-gate=shop.0002", *GATE)
    assert result["verdict"] == "error"
    assert "shop.0002_change failed on a few rows: " in result["reason"]


READING_POOL = """
import multiprocessing
from shop.work import read

def forwards(apps, schema_editor):
    schema_editor.connection.close()
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        pool.map(read, ["shop.Customer"] * 2)
"""


def test_tables_that_children_go_to(project: Project, postgresql: object) -> None:
    project.write(
        "shop/work.py",
        """
        import django

        def read(label):
            django.setup()
            from django.apps import apps
            from django.db import connections
            connections.close_all()
            return sum(1 for row in apps.get_model(label).objects.iterator())
        """,
    )
    project.write(
        "shop/models.py",
        """
        from django.db import models

        class Customer(models.Model):
            email = models.EmailField(unique=True, max_length=254)
        """,
    )
    for number, method in enumerate(("fork", "spawn"), start=2):
        pool = READING_POOL.format(method=method)
        project.migration(f"000{number}_{method}", pool, atomic=False)
    _, *results = project.results("--membudget-gate=shop", *FEW)
    for result in results:
        assert result["rows"] == {"shop.Customer": 15}, result["reason"]
