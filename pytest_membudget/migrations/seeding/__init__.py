"""Rows for historical models: a thousand template rows, then growth inside the database."""

from pytest_membudget.migrations.seeding.seeder import Seeded, Seeder
from pytest_membudget.migrations.seeding.shape import Shape

__all__ = ["Seeded", "Seeder", "Shape"]
