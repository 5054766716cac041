"""Migrations checked with no test written: what is collected, and what each item says."""

from __future__ import annotations

import json
import subprocess
import textwrap
from typing import Any

import pytest
from project import LOOP, STREAM, Project

GATE = ("--membudget-limit=512Mi", "--membudget-rows=*=40_000")
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


def gate(project: Project, *arguments: str) -> dict[str, dict[str, Any]]:
    """The results by migration."""
    found = project.results(*GATE, *arguments)
    return {result["migration"]: result for result in found}


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.path, check=True, capture_output=True)


@pytest.fixture
def branch(project: Project) -> Project:
    """A repository whose branch ``main`` has two migrations, checked out at a branch of its own."""
    project.migration("0002_change", STREAM)
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "x")
    git(project, "checkout", "-q", "-b", "topic")
    return project


def test_an_item_for_each_migration_of_the_project(project: Project) -> None:
    project.migration("0002_change", STREAM)
    project.write("test_other.py", "def test_other(): pass\n")
    assert collected(project, "--membudget-gate") == [f"{FIRST}::membudget", f"{SECOND}::membudget"]
    run = project.run("--collect-only", "-q", *GATE, "--membudget-gate")
    assert "test_other.py::test_other" in run.stdout.str()


def test_what_is_gated_can_be_named(project: Project) -> None:
    project.migration("0002_change", STREAM)
    everything = collected(project, "--membudget-gate=all")
    assert f"{SECOND}::membudget" in everything
    assert any(
        node.endswith("contenttypes/migrations/0001_initial.py::membudget") for node in everything
    )
    assert len(collected(project, "--membudget-gate=shop")) == 2
    second = [f"{SECOND}::membudget"]
    assert collected(project, "--membudget-gate=shop.0002") == second
    assert collected(project, "--membudget-gate", SECOND) == second
    assert collected(project, "--membudget-gate=all", SECOND) == second
    assert collected(project, "--membudget-gate=all", "shop") == collected(
        project, "--membudget-gate"
    )
    assert collected(project, "--membudget-gate=all", f"{SECOND}::membudget") == second
    assert collected(project, "--membudget-gate=all", "-k", "0002_change") == second


def test_what_means_nothing_is_refused(project: Project) -> None:
    run = project.run(*GATE, "--membudget-gate=shpo")
    assert run.ret == 4
    run.stderr.fnmatch_lines(
        ["*'shpo' is not an app with migrations, a migration, a path or a git ref*"]
    )
    project.write("tests/test_other.py", "def test_other(): pass\n")
    run = project.run(*GATE, "--membudget-gate", "tests")
    run.stderr.fnmatch_lines(["*there are no migrations in 'tests'*--membudget-gate=own tests*"])
    run = project.run(*GATE, "--membudget-gate=shop.0009")
    run.stderr.fnmatch_lines(["*shop has no migration '0009'*"])


def test_what_was_added_or_changed_since_a_ref(branch: Project) -> None:
    assert collected(branch, "--membudget-gate=main") == []
    branch.migration("0003_added", LOOP)
    third = "shop/migrations/0003_added.py::membudget"
    assert collected(branch, "--membudget-gate=main") == [third]
    git(branch, "add", ".")
    git(branch, "commit", "-q", "-m", "x")
    assert collected(branch, "--membudget-gate=main") == [third]
    (branch.path / SECOND).write_text((branch.path / SECOND).read_text() + "# changed\n")
    assert collected(branch, "--membudget-gate=main") == [f"{SECOND}::membudget", third]


def test_a_renamed_migration_is_a_new_one(branch: Project) -> None:
    git(branch, "mv", SECOND, "shop/migrations/0002_renamed.py")
    assert collected(branch, "--membudget-gate=main") == [
        "shop/migrations/0002_renamed.py::membudget"
    ]


@pytest.mark.parametrize(
    "option", ["-onorecursedirs=migrations", "--ignore-glob=*/migrations/*", "--ignore=shop"]
)
def test_a_folder_without_tests_is_gated(project: Project, option: str) -> None:
    project.write("conftest.py", 'collect_ignore_glob = ["*/migrations/*"]\n')
    project.write("shop/migrations/old/test_ignored.py", "def test_ignored(): assert False\n")
    assert collected(project, "--membudget-gate", option) == [f"{FIRST}::membudget"]
    run = project.run("--collect-only", "-q", *GATE, "--membudget-gate", option)
    assert "test_ignored" not in run.stdout.str()


def test_a_project_in_a_sub_folder_of_its_repository(branch: Project) -> None:
    branch.migration("0003_added", LOOP)
    top = branch.path
    inner = top / "backend"
    inner.mkdir()
    for name in ("shop", "settings.py", "urls.py", "pytest.ini"):
        (top / name).rename(inner / name)
    git(branch, "add", "-A")
    git(branch, "commit", "-q", "-m", "x")
    (inner / FIRST).write_text((inner / FIRST).read_text() + "# changed\n")
    run = branch.run(
        "--collect-only",
        "-q",
        *GATE,
        "--membudget-gate=topic",
        "-c",
        "backend/pytest.ini",
        "backend",
    )
    assert [line for line in run.outlines if "::" in line] == [f"{FIRST}::membudget"]


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


def test_only_the_tables_that_it_goes_to_are_seeded(project: Project) -> None:
    project.migration(
        "0002_change",
        """
        def forwards(apps, schema_editor):
            Customer = apps.get_model("shop", "Customer")
            Customer.objects.create(email="new@example.com")
            for customer in Customer.objects.iterator():
                customer.email
        """,
    )
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert result["rows"] == {"shop.Customer": 40_000}
    assert result["verdict"] == "within", result["reason"]


@pytest.mark.parametrize(
    "body",
    [
        "Order.objects.filter(pk=7).first()",
        "Order.objects.count()",
        "list(Order.objects.raw(\"SELECT id FROM shop_order WHERE number = 'X'\"))",
        'apps.get_model("shop", "Customer").objects.get_or_create(email="new@example.com")',
        'apps.get_model("shop", "Customer").objects.create(email="new@example.com")',
    ],
)
def test_a_few_rows_are_no_growth(project: Project, body: str) -> None:
    project.migration(
        "0002_change",
        f"""
        def forwards(apps, schema_editor):
            Order = apps.get_model("shop", "Order")
            {body}
    """,
    )
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert (result["verdict"], result["rows"]) == ("within", {})
    assert all(rows <= 20 for one in result["samples"] for rows in one["rows"].values())
    assert result["peak_bytes"] == max(one["peak_bytes"] for one in result["samples"])
    assert result["reason"] == "shop.0002_change accesses no table whose size affects memory."


def test_rows_that_nobody_knows_of_are_no_pass(project: Project) -> None:
    project.migration("0002_change", STREAM)
    run = project.run(
        "--membudget-gate=shop.0002",
        "--membudget-limit=512Mi",
        "--membudget-rows=shop.Customer=5_000",
    )
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*accesses shop.Order, whose production row count is unknown*"])


def test_a_statement_whose_rows_stay_in_the_database(project: Project, postgresql: object) -> None:
    body = """
    def forwards(apps, schema_editor):
        order = apps.get_model("shop", "Order")
        for sql in schema_editor.connection.ops.sequence_reset_sql(NO_STYLE, [order]):
            schema_editor.execute(sql)
        schema_editor.execute(
            'CREATE MATERIALIZED VIEW few AS SELECT id FROM "shop_order" WHERE "price" < 0'
        )
    """
    head = "from django.core.management.color import no_style\n\nNO_STYLE = no_style()\n"
    project.migration("0002_change", head + textwrap.dedent(body))
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert result["verdict"] == "within"
    assert result["reason"].endswith("accesses no table whose size affects memory.")


def test_a_branch_that_only_rows_lead_to_is_found(project: Project) -> None:
    project.migration(
        "0002_change",
        """
        def forwards(apps, schema_editor):
            for order in apps.get_model("shop", "Order").objects.iterator():
                order.customer.email
    """,
    )
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert set(result["rows"]) == {"shop.Order", "shop.Customer"}


def test_settings_of_one_migration(project: Project) -> None:
    project.migration("0002_change", STREAM)
    project.write(
        "pyproject.toml",
        """
        [tool.membudget.migrations."shop.0001_initial"]
        skip = "it was applied years ago"

        [tool.membudget.migrations."shop.0002"]
        limit = "8Mi"
        rows = {"shop.Order" = 3000}
        time_budget = 10
    """,
    )
    run = project.run("--membudget-gate", *GATE, "--membudget-json=results.json", "-rs")
    run.assert_outcomes(failed=1, skipped=1)
    run.stdout.fnmatch_lines(["*SKIPPED*it was applied years ago*"])
    (result,) = project.read_results()
    assert (result["limit_bytes"], result["rows"]) == (8 * 2**20, {"shop.Order": 3000})


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('"shop.0002"]\nskip = ""', "skip='' gives no reason; write skip = \"why\""),
        ('"shop.0009"]\nlimit = 1', "shop has no migration '0009'"),
        ('"shop.0002"]\nlimits = 1', "unknown setting 'limits'; the settings are limit, rows"),
        ('"shop.0002"]\nlimit = "lots"', "limit: "),
    ],
)
def test_settings_that_can_not_be_read(project: Project, entry: str, problem: str) -> None:
    project.migration("0002_change", STREAM)
    project.write("pyproject.toml", f"[tool.membudget.migrations.{entry}\n")
    run = project.run("--membudget-gate=shop.0002", *GATE)
    assert run.ret == 4
    assert problem in run.stderr.str()


def test_beside_other_options(project: Project) -> None:
    # The limit has to be one that what the gate tells apart fits.
    body = "def forwards(apps, schema_editor):\n    kept = b'x' * (200 << 20)\n"
    project.migration("0002_change", body)
    project.write("test_other.py", "def test_other(): pass\n")
    small = ("--membudget-gate", "--membudget-limit=128Mi", "--membudget-rows=*=3_000")
    project.run(*small, "-n2", "--no-migrations").assert_outcomes(passed=2, failed=1)
    project.run(*small, "--reuse-db", "--lf").assert_outcomes(failed=1)
    project.run(*small, "-x", "--ff").assert_outcomes(failed=1)


def test_migrations_that_live_elsewhere(project: Project) -> None:
    (project.path / "history").mkdir()
    project.write("history/__init__.py", "")
    for name in ("__init__.py", "0001_initial.py"):
        (project.path / "shop/migrations" / name).rename(project.path / "history" / name)
    settings = project.path / "settings.py"
    settings.write_text(settings.read_text() + '\nMIGRATION_MODULES = {"shop": "history"}\n')
    assert collected(project, "--membudget-gate") == ["history/0001_initial.py::membudget"]


def test_squashed_migrations_are_recorded_only(project: Project) -> None:
    project.migration("0002_change", LOOP)
    project.write(
        "shop/migrations/0001_squashed_0002.py",
        """
        from django.db import migrations

        class Migration(migrations.Migration):
            initial = True
            replaces = [("shop", "0001_initial"), ("shop", "0002_change")]
            operations = []
    """,
    )
    (result,) = gate(project, "--membudget-gate").values()
    assert result["migration"] == "shop.0001_squashed_0002"
    assert "replaces 2 migrations that production has applied" in result["reason"]


def test_a_deploy_is_measured_as_one(branch: Project, vendor: str) -> None:
    branch.migration("0003_loop", LOOP)
    branch.migration("0004_stream", STREAM)
    (result,) = branch.results("--membudget-gate=deploy:main", *GATE, "shop", "-k", "membudget")
    assert result["nodeid"] == "deploy::membudget"
    assert result["migration"] == "shop.0003_loop + shop.0004_stream"
    assert result["reason"].endswith(" shop.0003_loop sets the peak.")
    assert result["verdict"] == "within"
    (peaks,) = [one for one in result["findings"] if one["code"] == "peak-set-by"]
    each = peaks["message"].partition("each would peak at: ")[2].split(", ")
    assert [one.split(" ")[0] for one in each] == ["shop.0003_loop", "shop.0004_stream"]


def test_tables_with_few_rows_are_no_danger(project: Project) -> None:
    project.migration(
        "0002_change",
        """
        def forwards(apps, schema_editor):
            list(apps.get_model("shop", "Customer").objects.filter(email="nobody@example.com"))
            list(apps.get_model("shop", "Order").objects.filter(price=-1))
        """,
    )
    column = {"type": "text", "width": 50}
    tables = {"shop_order": {"rows": 2_000, "columns": {"note": column}}}
    document = {
        "membudget_profile": 1,
        "database": {"vendor": "sqlite", "version": "3"},
        "taken": "2026-01-01",
        "exact": True,
        "tables": tables,
    }
    project.write("membudget.json", json.dumps(document))
    result = gate_of(project)
    assert result["verdict"] == "within"
    assert result["reason"].endswith(
        "accesses only tables with too few rows to affect memory: 2,000 shop.Order."
    )
    tables["shop_order"]["rows"] = 20_000
    project.write("membudget.json", json.dumps(document))
    assert gate_of(project)["rows"] == {"shop.Order": 20_000}


def gate_of(project: Project) -> dict[str, Any]:
    return project.result("--membudget-gate=shop.0002", "--membudget-limit=512Mi")


def test_a_table_without_a_model_is_no_pass(project: Project) -> None:
    project.migration(
        "0002_change",
        """
        def forwards(apps, schema_editor):
            schema_editor.execute("CREATE TABLE legacy (id integer)")
        """,
    )
    project.migration(
        "0003_read",
        """
        def forwards(apps, schema_editor):
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("SELECT id FROM legacy")
                rows = cursor.fetchall()
        """,
    )
    result = project.result("--membudget-gate=shop.0003", *GATE)
    assert result["verdict"] == "inconclusive"
    assert (
        "accesses tables that have no model, so they can't be seeded: legacy." in result["reason"]
    )


@pytest.mark.parametrize(
    "chosen",
    [
        'filter(number__startswith="X")',
        "filter(pk__gt=10**9)",
        'filter(price=-1).exclude(number="X")',
        "raw(\"SELECT id FROM shop_order WHERE note || number = 'X'\")",
        'values("number").annotate(times=Count("pk")).filter(times__gt=1)',
        'filter(Q(number="X") | Q(price__lt=-1))',
    ],
)
def test_a_filter_that_no_row_meets_is_no_pass(project: Project, chosen: str) -> None:
    project.migration(
        "0002_change",
        f"""
        from django.db.models import Count, Q

        def forwards(apps, schema_editor):
            list(apps.get_model("shop", "Order").objects.{chosen})
        """,
    )
    result = project.result("--membudget-gate=shop.0002", *GATE)
    assert result["verdict"] == "inconclusive"
    assert "touched none of the seeded rows" in result["reason"]


ASKED = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    Order.objects.filter(note__startswith="legacy", total__isnull=True).update(total=0)
    for order in Order.objects.filter(note__startswith="legacy", price=-1){how}:
        order.total = 0
"""


def test_rows_have_the_values_that_it_filters_by(project: Project, vendor: str) -> None:
    project.migration("0002_change", ASKED.format(how=".iterator()"))
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert result["verdict"] == "within"
    assert result["samples"][-1]["rows_read"] == result["samples"][-1]["rows_written"] == 40_000
    [asked] = [one["message"] for one in result["findings"] if one["code"] == "rows-asked"]
    assert "shop_order.note = 'legacy', shop_order.price = -1; the share" in asked


def test_values_take_turns(project: Project) -> None:
    body = """
    def forwards(apps, schema_editor):
        Order = apps.get_model("shop", "Order")
        for order in Order.objects.filter(note="first"):
            order.total = 1
        for order in Order.objects.filter(note="second", price__in=[-1, -2]).order_by("total"):
            order.total = 2
    """
    project.migration("0002_change", body)
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert result["verdict"] == "within"
    assert result["samples"][-1]["rows_read"] == pytest.approx(40_000, abs=10)
    messages = " ".join(one["message"] for one in result["findings"])
    assert "shop_order.note = 'first' or 'second', shop_order.price = -1" in messages
    over = [result[key] - result["baseline_bytes"] for key in ("peak_bytes", "peak_high_bytes")]
    assert over[1] == pytest.approx(2 * over[0], rel=0.3)


def test_tables_that_only_such_rows_lead_to_are_found(project: Project) -> None:
    body = """
    def forwards(apps, schema_editor):
        Order, Customer = apps.get_model("shop", "Order"), apps.get_model("shop", "Customer")
        if {order.customer_id for order in Order.objects.filter(note="legacy").iterator()}:
            list(Customer.objects.all())
    """
    project.migration("0002_change", body)
    result = gate(project, "--membudget-gate=shop.0002")["shop.0002_change"]
    assert result["rows"] == {"shop.Customer": 40_000, "shop.Order": 40_000}
    assert result["samples"][-1]["rows_read"] == 80_000


def test_what_too_many_rows_with_a_value_would_do_is_inconclusive(project: Project) -> None:
    project.migration("0002_change", ASKED.format(how=""))
    result = gate(project, "--membudget-gate=shop.0002", "--membudget-limit=64Mi")
    [reason] = [one["reason"] for one in result.values() if one["verdict"] == "inconclusive"]
    assert "the limit is 64 MiB. It fits up to " in reason
    assert (
        "This assumes that every row has shop_order.note = 'legacy', shop_order.price = -1"
        in reason
    )


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "1 / 0"])
def test_a_dry_run_that_breaks_is_no_pass(project: Project, end: str) -> None:
    project.migration(
        "0002_change", f"import os\n\ndef forwards(apps, schema_editor):\n    {end}\n"
    )
    result = project.result("--membudget-gate=shop.0002", *GATE)
    assert result["verdict"] == "error"
    assert "shop.0002_change failed on a few rows: " in result["reason"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_tables_that_children_go_to(project: Project, postgresql: object, method: str) -> None:
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
    project.migration(
        "0002_change",
        f"""
        import multiprocessing
        from shop.work import read

        def forwards(apps, schema_editor):
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                pool.map(read, ["shop.Customer"] * 2)
        """,
        atomic=False,
    )
    result = project.result("--membudget-gate=shop.0002", *GATE)
    assert result["rows"] == {"shop.Customer": 40_000}, result["reason"]
