"""PostgreSQL's own fields."""

# ruff: noqa: RUF012
from __future__ import annotations

from awkward.versions import check
from django.contrib.postgres import fields
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q


class Arrays(models.Model):
    numbers = fields.ArrayField(models.IntegerField())
    names = fields.ArrayField(models.CharField(max_length=10), size=2)
    nested = fields.ArrayField(
        fields.ArrayField(models.DecimalField(max_digits=6, decimal_places=2))
    )
    chosen = fields.ArrayField(models.CharField(max_length=3, choices=[("a", "A"), ("b", "B")]))
    days = fields.ArrayField(models.DateField(), null=True)
    json = fields.ArrayField(models.JSONField())
    unique = fields.ArrayField(models.IntegerField(), unique=True)

    class Meta:
        constraints = [check(Q(names__len__gte=1), name="some_names")]


class Ranges(models.Model):
    integer = fields.IntegerRangeField()
    big = fields.BigIntegerRangeField()
    decimal = fields.DecimalRangeField()
    date = fields.DateRangeField()
    moment = fields.DateTimeRangeField()
    unique = fields.IntegerRangeField(unique=True)


class Booking(models.Model):
    period = fields.DateTimeRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="no_overlap", expressions=[("period", fields.RangeOperators.OVERLAPS)]
            )
        ]


class Search(models.Model):
    vector = SearchVectorField()
    maybe = SearchVectorField(null=True)


class InSchema(models.Model):
    name = models.CharField(max_length=20, unique=True)

    class Meta:
        db_table = 'elsewhere"."in schema'


class OfSchema(models.Model):
    there = models.ForeignKey(InSchema, models.CASCADE)


class ColumnType(models.Field):
    """A field of the project's own, for a type that Django has no field for."""

    def __init__(self, of: str, **options: object) -> None:
        self.of = of
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, list[str], dict[str, object]]:
        name, path, _, options = super().deconstruct()
        return name, path, [self.of], options

    def db_type(self, connection: object) -> str:
        return self.of


class NoFieldOfDjango(models.Model):
    mac = ColumnType("macaddr", unique=True)
    mac8 = ColumnType("macaddr8")
    network = ColumnType("cidr")
    price = ColumnType("money")
    flags = ColumnType("bit(1)")
    more_flags = ColumnType("bit varying(8)")
    place = ColumnType("point")
    area = ColumnType("box")
    outline = ColumnType("polygon")
    disc = ColumnType("circle")
    span = ColumnType("int8range")
    period = ColumnType("tstzrange")
    query = ColumnType("tsquery")
    path = ColumnType("jsonpath")
    object = ColumnType("oid")
    names = ColumnType("text[]")
