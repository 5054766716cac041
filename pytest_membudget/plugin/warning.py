"""The warning of the plugin, which a filter may name: nothing heavy is imported for it."""

from __future__ import annotations

import pytest


class MembudgetWarning(pytest.PytestWarning):
    """An inconclusive verdict, with ``membudget_inconclusive = warn``."""

    __module__ = "pytest_membudget"
