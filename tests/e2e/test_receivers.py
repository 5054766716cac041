"""Receivers of ``post_migrate``: each ``manage.py migrate`` runs them, whatever it applies."""

from __future__ import annotations

from typing import Any

import pytest
from project import LIMIT, Project

pytestmark = pytest.mark.usefixtures("vendor")

APPS = """
from django.apps import AppConfig
from django.db.models.signals import post_migrate

def listing(sender, **kwargs):
    from shop.models import Customer
    kept = list(Customer.objects.all())

class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        post_migrate.connect(listing, sender=self)
"""
MODELS = """
from django.db import models

class Customer(models.Model):
    email = models.EmailField(unique=True)
"""
UPDATE = """
def forwards(apps, schema_editor):
    apps.get_model("shop", "{model}").objects.update({field}="x")
"""
CONNECTING = """
from django.apps import apps as registry
from django.db.models.signals import post_migrate

def forwards(apps, schema_editor):
    Customer = apps.get_model("shop", "Customer")

    def listing(sender, **kwargs):
        kept = list(Customer.objects.all())

    post_migrate.connect(listing, sender=registry.get_app_config("shop"), weak=False)
"""
GATE = ("--membudget-gate=shop.0002", "--membudget-rows=*=40_000", "--membudget-limit")


def messages(result: dict[str, Any], code: str) -> list[str]:
    return [one["message"] for one in result["findings"] if one["code"] == code]


def with_receiver(project: Project, code: str) -> Project:
    project.write("shop/apps.py", APPS)
    project.write("shop/models.py", MODELS)
    project.migration("0002_it", code)
    return project


def test_rows_of_a_receiver_are_not_seeded_for_the_migration(project: Project) -> None:
    result = with_receiver(project, UPDATE.format(model="Order", field="note")).result(
        *GATE, "512Mi"
    )
    assert result["verdict"] == "within"
    assert result["rows"] == {}
    (rows,) = messages(result, "receiver-rows")
    assert "shop.apps.listing" in rows
    assert "shop_customer" in rows
    assert "shop.apps.listing" in result["reason"]


def test_rows_that_the_migration_changes_for_a_receiver_are_measured(project: Project) -> None:
    code = UPDATE.format(model="Customer", field="email").replace('"x"', "F('email')")
    code = f"from django.db.models import F\n{code}"
    result = with_receiver(project, code).result(*GATE, "110Mi")
    assert result["rows"] == {"shop.Customer": 40_000}
    assert not messages(result, "receiver-rows")
    assert result["growth"] == "linear"
    (peaks,) = messages(result, "peak-set-by")
    assert peaks.startswith("the receiver shop.apps.listing sets the peak")
    assert result["reason"].endswith("The receiver shop.apps.listing sets the peak.")


INSERT = """
def forwards(apps, schema_editor):
    schema_editor.execute("INSERT INTO shop_customer (email) SELECT number FROM shop_order")
"""


def test_rows_that_the_migration_makes_for_a_receiver_are_measured(project: Project) -> None:
    result = with_receiver(project, INSERT).result(*GATE, "512Mi")
    assert result["rows"]["shop.Order"] == 40_000
    assert result["verdict"] == "within"


def test_rows_of_a_receiver_that_the_migration_connects_are_its_own(project: Project) -> None:
    project.write("shop/models.py", MODELS)  # signals are sent for apps that have models
    project.migration("0002_it", CONNECTING)
    result = project.result(*GATE, "512Mi")
    assert result["rows"] == {"shop.Customer": 40_000}
    last = result["samples"][-1]
    assert last["rows_read"] == last["rows"]["shop.Customer"]


def test_named_rows_are_not_missed_where_only_a_receiver_loads_them(project: Project) -> None:
    with_receiver(project, UPDATE.format(model="Order", field="note"))
    project.budget('"shop.0002"', 'rows={"shop.Order": 20_000}', LIMIT)
    result = project.result()
    assert result["verdict"] == "within"
    assert messages(result, "receiver-rows")
