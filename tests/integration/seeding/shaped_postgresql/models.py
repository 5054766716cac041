"""What PostgreSQL alone has: arrays, and values that it compresses."""

from __future__ import annotations

from django.contrib.postgres import fields
from django.db import models


class Lists(models.Model):
    numbers = fields.ArrayField(models.IntegerField())
    names = fields.ArrayField(models.CharField(max_length=10), null=True)


class Compressed(models.Model):
    document = models.JSONField()
    text = models.TextField()
    short = models.TextField()


class Narrow(models.Model):
    """Its rows are too short to be compressed, whatever the catalogue says of the columns."""

    text = models.TextField()
