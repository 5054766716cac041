"""``membudget.budget(…)``, the marker of pytest-membudget as a function.

The API is that of :mod:`pytest_membudget`, whose name ``budget`` is a package.
"""

from pytest_membudget.plugin.mark import budget

__all__ = ["budget"]
