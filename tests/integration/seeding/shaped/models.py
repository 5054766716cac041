"""Models whose values have a shape in production."""

# ruff: noqa: RUF012
from __future__ import annotations

from awkward.versions import NULLS_EQUAL, check
from django.db import models
from django.db.models import Q, UniqueConstraint


class Customer(models.Model):
    name = models.CharField(max_length=40)


class Address(models.Model):
    city = models.CharField(max_length=40)


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    address = models.ForeignKey(Address, models.CASCADE, null=True)
    invoice = models.OneToOneField("Invoice", models.CASCADE, null=True)
    slug = models.SlugField(max_length=80, unique=True)
    contact = models.EmailField()
    title = models.CharField(max_length=255)
    status = models.CharField(max_length=12)
    code = models.CharField(max_length=10)
    comment = models.TextField(null=True)
    document = models.JSONField()
    settings = models.JSONField(null=True)
    small = models.JSONField(default=dict)
    scan = models.BinaryField()
    discount = models.IntegerField(null=True)
    number = models.IntegerField()
    total = models.DecimalField(max_digits=12, decimal_places=2)
    weight = models.FloatField()
    placed = models.DateTimeField()
    added = models.TextField(null=True)


class Invoice(models.Model):
    number = models.IntegerField()


class Ruled(models.Model):
    """Its rules come before the profile."""

    short = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=[("a", "A"), ("b", "B")])
    needed = models.TextField()
    either = models.TextField(null=True)
    other = models.TextField(null=True)
    parent = models.ForeignKey(Customer, models.CASCADE, null=True)
    group = models.IntegerField(null=True)

    class Meta:
        constraints = [
            check(~Q(either=None) | ~Q(other=None), name="one_of_both"),
            UniqueConstraint(fields=["parent", "group"], name="equal_nulls", **NULLS_EQUAL),
        ]


class Wide(models.Model):
    document = models.JSONField()
    maybe = models.TextField(null=True)
