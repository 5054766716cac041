"""What ``--membudget-json`` writes, schema 1, as reports read it: every key that one of them uses.

Keys may be added, so unknown ones are left out.  A key that may be missing has a default: a result
of an older version says nothing of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from pytest_membudget.units import LONGEST, MOST

Count = Annotated[int, Meta(ge=0, le=MOST)]
Difference = Annotated[int, Meta(ge=-MOST, le=MOST)]
Figure = Annotated[float, Meta(ge=0, le=MOST)]
# A projected time may be far longer than a check may take.
Seconds = Annotated[float, Meta(ge=0, le=1e6 * LONGEST)]
Share = Annotated[float, Meta(ge=-1e6, le=1e6)]
LineNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Database(Struct):
    alias: str | None = None
    vendor: str | None = None
    version: str | None = None


class Finding(Struct):
    code: str
    message: str


class Place(Struct):
    file: str
    line: LineNumber | None
    function: str
    source: str = ""


class Line(Struct):
    file: str
    line: LineNumber | None
    function: str
    bytes_per_row: Difference
    share: Share
    source: str = ""
    kind: str = "python"
    bytes: Difference | None = None
    via: Place | None = None


class Advice(Struct):
    message: str
    code: str = ""
    evidence: str = ""
    file: str = ""
    line: LineNumber | None = None
    bytes_per_row: Difference | None = None
    peak_bytes: Count | None = None
    tried: bool = False


class Stacks(Struct):
    """``frames`` are function, file and line; ``stacks`` bytes and blocks a row, and frames."""

    rows: Count
    frames: list[tuple[str, str, LineNumber]]
    stacks: list[tuple[Figure, Figure, list[Count]]]

    def __post_init__(self) -> None:
        if any(index >= len(self.frames) for *_, stack in self.stacks for index in stack):
            raise ValueError(f"a stack has a frame that is none of the {len(self.frames)}")


class Sample(Struct):
    rows: dict[str, Count]
    peak_bytes: Count
    outcome: str
    duration_s: Seconds = 0.0
    anonymous_bytes: Difference | None = None
    seed_s: Seconds = 0.0
    processes: Count = 1
    rows_read: Count = 0
    rows_written: Count = 0
    timeline: list[tuple[Seconds, Count]] = []


class Result(Struct):
    nodeid: str
    migration: str
    rows: dict[str, Count]
    limit_bytes: Annotated[int, Meta(ge=1, le=MOST)]
    verdict: Literal["within", "exceeds", "inconclusive", "error"]
    reason: str
    database: Database
    reverse: bool = False
    limit_source: str = ""
    basis: Literal["measured", "projected"] | None = None
    growth: Literal["constant", "linear", "linearithmic", "quadratic", "bounded"] | None = None
    peak_bytes: Count | None = None
    peak_low_bytes: Count | None = None
    peak_high_bytes: Count | None = None
    anonymous_bytes: Difference | None = None
    baseline_bytes: Count | None = None
    bytes_per_row: Difference | None = None
    fits_up_to_rows: Count | None = None
    time_budget_s: Seconds | None = None
    duration_s: Seconds = 0.0
    projected_duration_s: Seconds | None = None
    outcome: str | UnsetType = UNSET
    findings: list[Finding] = []
    samples: list[Sample] = []
    files: list[str] = []
    attribution: list[Line] = []
    attribution_note: str | None = None
    advice: list[Advice] = []
    stacks: Stacks | None = None

    def __post_init__(self) -> None:
        ends = (self.peak_low_bytes, self.peak_high_bytes)
        if self.peak_low_bytes is not None and None in (self.peak_bytes, *ends):
            raise ValueError("peak_low_bytes is the end of no interval without the other two peaks")


class Environment(Struct, omit_defaults=True):
    python: str | None = None
    django: str | None = None
    platform: str | None = None


class Document(Struct):
    results: list[Result]
    environment: Environment | UnsetType = UNSET
