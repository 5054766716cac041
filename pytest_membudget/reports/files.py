"""Where reports are written: files whose folders are made as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible


def write_text(path: str, text: str) -> None:
    """Write a file.  Raises BudgetError, which names it, where that can't be done."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def unwritable(path: str, error: Exception) -> BudgetError:
    """That a report can't be written, and why."""
    reason = getattr(error, "strerror", None) or str(error)
    return BudgetError(f"{path} can't be written: {reason.lower()}")


def write_each(reports: Iterable[tuple[str, Callable[[], None]]]) -> dict[str, str]:
    """Write each report, whatever becomes of the others; the answer is what went wrong, by name.

    ``reports`` are the names of the reports with what writes them.
    """
    problems = {}
    for name, write in reports:
        try:
            write()
        except BudgetError as error:
            problems[name] = visible(str(error))
        except Exception as error:  # a fault of one report is no reason to lose another
            problems[name] = visible(f"{type(error).__name__}: {error}")
    return problems
