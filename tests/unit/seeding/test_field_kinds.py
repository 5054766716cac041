"""The kind of a field is found along its base classes, and one can be registered."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import pytest
from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.fields import FieldKind, kind_of, numbers, register, text
from pytest_membudget.seeding.sequences import Numbering

NO_DATABASE = cast("Dialect", None)
# Integers and points in time ask the settings.
FIELDS: list[Any] = [
    models.CharField(max_length=40),
    models.TextField(),
    models.SlugField(),
    models.FloatField(),
    models.DecimalField(max_digits=9, decimal_places=2),
    models.DateField(),
    models.TimeField(),
    models.DurationField(),
    models.UUIDField(),
    models.BinaryField(),
    models.GenericIPAddressField(),
    models.GenericIPAddressField(protocol="IPv6"),
]


class Trimmed(models.EmailField):
    pass


class Grade(models.IntegerField):
    pass


def kind(field: Any) -> FieldKind:
    field.set_attributes_from_name("field")
    return kind_of(field, NO_DATABASE)


def test_the_nearest_base_class_says_the_kind() -> None:
    assert type(kind(Trimmed())) is text.Email
    assert type(kind(models.PositiveIntegerField())) is numbers.Integer
    assert type(kind(models.CharField(max_length=9))) is text.Text


def test_a_registered_kind_counts_for_derived_fields() -> None:
    @register(Grade)
    class Grades(FieldKind):
        def plausible(self, rng: Random) -> int:
            return rng.randint(1, 6)

        def numbering(self) -> Numbering:
            return Numbering.of([1, 2, 3, 4, 5, 6])

    class FinalGrade(Grade):
        pass

    found = kind(FinalGrade())
    assert type(found) is Grades
    assert 1 <= found.plausible(Random(1)) <= 6
    assert found.variation(None) is None


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
def test_values_are_valid_and_numbered_ones_differ(field: Any) -> None:
    found, rng = kind(field), Random(1)
    numbering = found.numbering()
    numbered = [numbering.at(n) for n in range(1, 2001)]
    assert len(set(numbered)) == 2000
    for value in [found.plausible(rng), numbered[0], numbered[-1]]:
        field.run_validators(value)
        assert field.to_python(value) == value
