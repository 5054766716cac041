"""Rows for historical models: a thousand template rows, then growth inside the database."""

from pytest_membudget.seeding.seeder import Seeded, Seeder

__all__ = ["Seeded", "Seeder"]
