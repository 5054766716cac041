"""What is written in another way before Django 5.1, or is not there at all."""

from __future__ import annotations

from django import VERSION
from django.db.models import CheckConstraint

NULLS_EQUAL = {"nulls_distinct": False} if VERSION >= (5, 0) else {}


def check(condition, name):
    return CheckConstraint(name=name, **{"condition" if VERSION >= (5, 1) else "check": condition})


def choosing(choices):
    """An enumeration or a function as choices."""
    return choices if VERSION >= (5, 0) else getattr(choices, "choices", None) or choices()


def db_default(value, python):
    return {"db_default": value} if VERSION >= (5, 0) else {"default": python}
