"""How much memory will a Django migration take at production's row count, and does it fit?

The names of ``__all__`` are the public API; everything else may change without notice.  They are
imported when they are asked for, since every run of pytest imports this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Advice",
    "AdviceCode",
    "Basis",
    "BudgetError",
    "Database",
    "Finding",
    "FindingCode",
    "Growth",
    "Line",
    "MembudgetError",
    "MembudgetWarning",
    "MemoryBudget",
    "Outcome",
    "Place",
    "Result",
    "SampleFigures",
    "Verdict",
    "__version__",
]

if TYPE_CHECKING:
    from pytest_membudget.errors import BudgetError, MembudgetError
    from pytest_membudget.finding import Finding, FindingCode
    from pytest_membudget.judge.evidence import Database
    from pytest_membudget.judge.explanation import Advice, AdviceCode, Line, Place
    from pytest_membudget.judge.growth_fit import Growth
    from pytest_membudget.judge.result import Result, SampleFigures
    from pytest_membudget.judge.verdict import Basis, Verdict
    from pytest_membudget.plugin import MembudgetWarning
    from pytest_membudget.plugin.memory_budget import MemoryBudget
    from pytest_membudget.sample import Outcome

_MODULES = {
    "errors": ("BudgetError", "MembudgetError"),
    "finding": ("Finding", "FindingCode"),
    "judge.explanation": ("Advice", "AdviceCode", "Line", "Place"),
    "judge.growth_fit": ("Growth",),
    "judge.evidence": ("Database",),
    "judge.result": ("Result", "SampleFigures"),
    "judge.verdict": ("Basis", "Verdict"),
    "plugin.memory_budget": ("MemoryBudget",),
    "plugin": ("MembudgetWarning",),
    "sample": ("Outcome",),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
