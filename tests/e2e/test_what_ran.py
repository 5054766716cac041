"""A verdict rests on code that really ran, on the database that it runs on in production."""

from __future__ import annotations

from typing import Any

from batch import both
from project import FEW, LIMIT, LOOP, STREAM, Project

GATE = ("--membudget-gate=shop.0002", "--membudget-limit=512Mi", "--membudget-rows=*=15")
ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "orders" if model._meta.app_label == "shop" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "orders") == (app_label == "shop")
"""
HINTS = """
class Router:
    def allow_migrate(self, db, app_label, **hints):
        return not hints.get("archive")
"""
RUN = "[migrations.RunPython(forwards, None)]"


def codes(result: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in result["findings"]}


def routed(project: Project, router: str) -> None:
    project.write("routers.py", router)
    project.add("settings.py", "DATABASES['orders'] = {**DATABASES['default'], 'NAME': 'orders'}")
    project.add("settings.py", "DATABASE_ROUTERS = ['routers.Router']")


def test_a_migration_is_measured_on_the_alias_that_the_router_sends_it_to(
    project: Project, vendor: str
) -> None:
    routed(project, ROUTER)
    project.migration("0002_it", LOOP)
    kept_off = ('"shop.0002"', 'rows={"auth.User": 15}', LIMIT, 'database="default"')
    project.budgets(('"shop.0002"', FEW, LIMIT), kept_off)
    found = project.results(".", *GATE)
    elsewhere = next(one for one in found if one["database"]["alias"] == "default")
    for result in (one for one in found if one is not elsewhere):
        assert result["database"]["alias"] == "orders"
        assert result["samples"][-1]["rows_read"] == 15
        assert result["verdict"] == "within"
    assert len(found) == 3
    assert elsewhere["verdict"] == "inconclusive"
    assert (
        "did not run completely: shop.0002_it: the database routers do not allow it on the alias "
        "'default'; pass database='orders'" in elsewhere["reason"]
    )
    assert "routed-elsewhere" in codes(elsewhere)


NOT_RUN = {
    "0002_hints": (
        LOOP + "\ndef archive(apps, schema_editor): list(range(10))\n",
        "[migrations.RunPython(archive, hints={'archive': True}), migrations.RunPython(forwards)]",
        "did not run completely: RunPython(archive) was skipped",
        "code-not-run",
    ),
    "0003_async": (
        "async def forwards(apps, schema_editor): print('never')",
        RUN,
        "did not run completely: RunPython(forwards) is an async function",
        "async-code",
    ),
    "0004_generator": (
        "def forwards(apps, schema_editor): yield list(range(9))",
        RUN,
        "did not run completely: RunPython(forwards) is a generator function",
        "code-not-run",
    ),
    "0005_awaited": (
        "async def work(): ...\ndef forwards(apps, schema_editor): return work()",
        RUN,
        "did not run completely: RunPython(forwards) is an async function",
        "async-code",
    ),
    "0006_if": (
        LOOP,
        "[migrations.RunPython(forwards)] if __import__('os').environ.get('PRODUCTION') else []",
        "creates a RunPython that is not in its operations in this check",
        "code-left-out",
    ),
    "0008_vendor": (
        LOOP + "\nfrom django.db import connection",
        "[migrations.RunPython(forwards)] if connection.vendor == 'mysql' else []",
        "creates a RunPython for another database than sqlite; measure on production's",
        "code-left-out",
    ),
}
ALL_RUN = """[
    migrations.RunPython(migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState([migrations.RunPython(forwards)]),
    migrations.RunSQL('UPDATE shop_order SET total = 1', migrations.RunSQL.noop),
]"""


def test_code_that_never_runs_is_no_pass(project: Project) -> None:
    """A router that skips an operation, a function that only makes a generator, an ``if``."""
    routed(project, HINTS)
    operations = {name: (code, its) for name, (code, its, _, _) in NOT_RUN.items()}
    for name, (code, its) in {**operations, "0007_all": (STREAM, ALL_RUN)}.items():
        project.migration(name, code)
        path = project.path / f"shop/migrations/{name}.py"
        path.write_text(path.read_text().replace(RUN, its))
    project.budgets(*((f'"shop.{name}"', FEW, LIMIT) for name in [*NOT_RUN, "0007_all"]))
    *found, whole = project.results()
    for result, (name, (_, _, reason, code)) in zip(found, NOT_RUN.items(), strict=True):
        assert result["migration"] == f"shop.{name}"
        assert result["verdict"] == "inconclusive", name
        assert reason in result["reason"]
        assert code in codes(result)
    assert whole["verdict"] == "within"
    assert not codes(whole) & {"code-not-run", "code-left-out", "async-code"}


TODAYS_ORDER = """
    from django.db import models

    class Order(models.Model):
        later = models.IntegerField()
"""
READ_TODAYS = """
def forwards(apps, schema_editor):
    from shop.models import Order
    if apps.get_model("shop", "Order").objects.exists():
        list(Order.objects.all())
"""


@both
def test_todays_model_in_an_earlier_state(project: Project) -> None:
    """It breaks on any row, in production too."""
    project.write("shop/models.py", TODAYS_ORDER)
    project.migration("0002_change", READ_TODAYS)
    options = ("--membudget-rows=*=20_000", "--membudget-limit=512Mi")
    [result] = project.results("--membudget-gate=shop.0002", *options)
    assert result["verdict"] == "error"
    said = "; the code uses today's model shop.Order, and a later migration adds the column"
    assert said in result["reason"]
