"""hstore and citext."""

from __future__ import annotations

from django.contrib.postgres import fields
from django.db import models


class CiText(models.TextField):
    def db_type(self, connection):
        return "citext"


class Stores(models.Model):
    store = fields.HStoreField()


class CaseInsensitive(models.Model):
    name = CiText(unique=True)
    other = CiText()
