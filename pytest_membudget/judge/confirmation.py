"""What the kernel does to the migration in a memory control group of the limit's size."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.figures import Rows
from pytest_membudget.units import format_rows, format_size


@dataclass(frozen=True)
class Confirmation:
    """One run in such a group.  ``killed`` is None where it is not known, and ``note`` says why.

    ``rows`` are those of the run, empty where there was none; ``group`` says what made the group.
    """

    killed: bool | None = None
    rows: dict[str, Rows] = field(default_factory=dict)
    group: str | None = None
    note: str = ""

    def finding(self, limit: int) -> Finding:
        if self.killed is None:
            return Finding(FindingCode.NOT_CONFIRMED, f"the kernel was not asked: {self.note}")
        return Finding(FindingCode.KERNEL_VERDICT, f"the kernel {self.sentence(limit)}")

    def sentence(self, limit: int) -> str:
        """What the kernel has done, if that is known."""
        did = "killed the migration" if self.killed else "let the migration finish"
        model, rows = next(iter(self.rows.items()))
        size = format_size(limit)
        return f"{did} in a memory control group of {size} with {format_rows(rows)} {model} rows"
