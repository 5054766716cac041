"""The kinds of field that seeding knows: one class a kind, see docs/seeding.md."""

from importlib import import_module
from pkgutil import iter_modules

from pytest_membudget.seeding.fields.base import FieldKind, register, stored_as_builtin
from pytest_membudget.seeding.fields.by_column import kind_of

__all__ = ["FieldKind", "kind_of", "register", "stored_as_builtin"]

for _module in iter_modules(__path__):
    if _module.name != "postgresql":  # which by_column.py imports for a field that needs it
        import_module(f"{__name__}.{_module.name}")
