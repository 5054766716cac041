"""E-mail addresses, URLs and paths of files."""

from __future__ import annotations

from random import Random
from typing import Any

from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.fields.base import register
from pytest_membudget.seeding.fields.text import Frame, Text
from pytest_membudget.seeding.fields.words import SHAPES, shaped


class Framed(Text):
    """Text between a start and an end, the shorter ones where there is no room for more."""

    between = "-"

    def _unique_frames(self, limit: int) -> tuple[Frame, ...]:
        return self.frames


@register(models.EmailField)
class Email(Framed):
    frames = (("", "@example.com"), ("", "@a.io"))

    def plausible(self, rng: Random) -> str:
        return shaped(SHAPES["email"], rng)[-self.field.max_length :]


@register(models.URLField)
class Url(Framed):
    frames = (("https://www.example.com/", ""), ("http://a.io/", ""))

    def plausible(self, rng: Random) -> str:
        return shaped("https://www.*.com/*/*/*/", rng)[: self.limit]


@register(models.FileField, models.FilePathField)
class File(Framed):
    unique_rank = 5

    def __init__(self, field: Any, dialect: Dialect) -> None:
        super().__init__(field, dialect)
        end = ".png" if isinstance(field, models.ImageField) else ".pdf"
        self.frames = (("files/2024/05/", end), ("f/", end))

    def plausible(self, rng: Random) -> str:
        folder = getattr(self.field, "upload_to", "") or "files/"
        folder = folder if isinstance(folder, str) and "%" not in folder else "files/2024/05/"
        end = self.frames[0][1]
        return f"{folder.rstrip('/')}/{shaped('*-*-*', rng)}{end}"[-self.field.max_length :]
