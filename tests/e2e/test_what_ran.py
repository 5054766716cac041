"""A verdict rests on code that really ran, on the database that it runs on in production."""

from __future__ import annotations

from typing import Any

import pytest
from project import LOOP, STREAM, Project

FEW = 'rows={"shop.Order": 2_000}'
LIMIT = 'limit="512Mi"'
GATE = ("--membudget-gate=shop.0002", "--membudget-limit=512Mi", "--membudget-rows=*=2_000")
ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "orders" if model._meta.app_label == "shop" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "orders") == (app_label == "shop")
"""
READS_ELSEWHERE = """
class Router:
    def db_for_read(self, model, **hints):
        return "orders"
"""


def codes(result: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in result["findings"]}


def routed(project: Project, router: str) -> None:
    project.write("routers.py", router)
    with (project.path / "settings.py").open("a") as file:
        file.write("DATABASES['orders'] = {**DATABASES['default'], 'NAME': 'orders'}\n")
        file.write("DATABASE_ROUTERS = ['routers.Router']\n")


@pytest.mark.parametrize("gated", [True, False], ids=["gate", "marker"])
def test_a_migration_is_measured_on_the_alias_that_the_router_sends_it_to(
    project: Project, vendor: str, gated: bool
) -> None:
    routed(project, ROUTER)
    project.migration("0002_it", LOOP)
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result(*(GATE if gated else ()), *(["-o", "python_files="] if gated else []))
    assert result["database"]["alias"] == "orders"
    assert result["samples"][-1]["rows_read"] == 2_000
    assert result["verdict"] == "within"


def test_an_alias_that_the_router_keeps_it_off_is_no_pass(project: Project, vendor: str) -> None:
    routed(project, ROUTER)
    project.migration("0002_it", LOOP)
    project.budget('"shop.0002"', 'rows={"auth.User": 2_000}', LIMIT, 'database="default"')
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert (
        "did not run completely: shop.0002_it: the database routers do not allow it on the alias "
        "'default'; pass database='orders'" in result["reason"]
    )
    assert "routed-elsewhere" in codes(result)


def test_reads_that_the_router_sends_elsewhere_are_named(project: Project, vendor: str) -> None:
    routed(project, READS_ELSEWHERE)
    project.migration("0002_it", LOOP)
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert "tried to use the database alias 'orders', which was refused" in result["reason"]


HINTS = """
class Router:
    def allow_migrate(self, db, app_label, **hints):
        return not hints.get("archive")
"""


def test_one_operation_that_the_router_skips_is_no_pass(project: Project) -> None:
    routed(project, HINTS)
    code = LOOP + "\ndef archive(apps, schema_editor): list(range(10))\n"
    project.migration("0002_it", code)
    path = project.path / "shop/migrations/0002_it.py"
    more = "migrations.RunPython(archive, hints={'archive': True}), migrations.RunPython(forwards"
    path.write_text(path.read_text().replace("migrations.RunPython(forwards", more))
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert "did not run completely: RunPython(archive) was skipped" in result["reason"]
    assert "code-not-run" in codes(result)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("async def forwards(apps, schema_editor): ...", "is an async function"),
        ("def forwards(apps, schema_editor): yield list(range(9))", "is a generator function"),
        (
            "async def work(): ...\ndef forwards(apps, schema_editor): return work()",
            "is an async function",
        ),
    ],
)
def test_a_body_that_never_runs_is_no_pass(project: Project, code: str, why: str) -> None:
    project.migration("0002_it", code)
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert f"did not run completely: RunPython(forwards) {why}" in result["reason"]


def test_code_behind_an_if_that_is_not_taken_is_no_pass(project: Project) -> None:
    project.migration("0002_it", LOOP)
    path = project.path / "shop/migrations/0002_it.py"
    text = path.read_text().replace(
        "[migrations.RunPython(forwards, None)]",
        "[migrations.RunPython(forwards)] if __import__('os').environ.get('PRODUCTION') else []",
    )
    path.write_text(text)
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert "creates a RunPython that is not in its operations in this check" in result["reason"]
    assert "code-left-out" in codes(result)


def test_operations_that_run_are_no_gap(project: Project, vendor: str) -> None:
    project.migration("0002_it", STREAM)
    path = project.path / "shop/migrations/0002_it.py"
    text = path.read_text().replace(
        "[migrations.RunPython(forwards, None)]",
        "[migrations.RunPython(migrations.RunPython.noop), "
        "migrations.SeparateDatabaseAndState([migrations.RunPython(forwards)]), "
        "migrations.RunSQL('UPDATE shop_order SET total = 1', migrations.RunSQL.noop)]",
    )
    path.write_text(text)
    project.budget('"shop.0002"', FEW, LIMIT)
    result = project.result()
    assert result["verdict"] == "within"
    assert not codes(result) & {"code-not-run", "code-left-out", "async-code"}
