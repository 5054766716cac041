"""One live line while a check runs, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from pytest_membudget.budget.request import Budget


@contextmanager
def progress_line(config: pytest.Config, budget: Budget) -> Iterator[Callable[[str], None]]:
    """Give a function that shows text below pytest's line; it says nothing in a log or worker."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None or hasattr(config, "workerinput"):
        yield lambda text: None
        return
    with capture.global_and_fixture_disabled():
        console = Console(file=sys.stdout)
        if not (console.is_interactive and sys.stdout.isatty()):
            yield lambda text: None
            return
        column = config.get_terminal_writer().width_of_current_line
        parts = SpinnerColumn(), TextColumn("{task.description}"), _TimeLeft(budget.time_budget)
        sys.stdout.write("\n")
        try:
            with Progress(*parts, console=console, transient=True) as progress:
                task = progress.add_task(budget.subject, total=None)
                yield lambda text: progress.update(task, description=f"{budget.subject}: {text}")
        finally:
            sys.stdout.write(f"\x1b[A\x1b[{column}C" if column else "\x1b[A")
            sys.stdout.flush()


class _TimeLeft(ProgressColumn):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def render(self, task: Task) -> Text:
        left = self._seconds - (task.elapsed or 0)
        return Text(f"at most {left:.0f} s left" if left > 0 else "")
