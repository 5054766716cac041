"""Composite keys and generated columns."""

from __future__ import annotations

from awkward.models import UuidKey
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower


class Pair(models.Model):
    pk = models.CompositePrimaryKey("owner", "number")
    owner = models.ForeignKey(UuidKey, models.CASCADE)
    number = models.PositiveSmallIntegerField()


class Generated(models.Model):
    side = models.IntegerField()
    name = models.CharField(max_length=20)
    area = models.GeneratedField(
        expression=F("side") * 2, output_field=models.BigIntegerField(), db_persist=True
    )
    key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.CharField(max_length=20),
        db_persist=True,
        unique=True,
    )
