"""Why a peak grows, as the result of a check holds it: growth by line, advice and stacks."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_membudget.judge.figures import Bytes, Difference, Figure, LineNumber, Rows, Share
from pytest_membudget.texts import OpenTextEnum


class AdviceCode(OpenTextEnum):
    """What a piece of advice is about; docs/results.md says what each means."""

    DEBUG_OFF = "debug-off"
    DEFER = "defer"
    FEWER_PROCESSES = "fewer-processes"
    ITERATOR = "iterator"
    KEEP_LESS = "keep-less"
    KEYSET_PAGES = "keyset-pages"
    LOOP_OVER_CURSOR = "loop-over-cursor"
    OWN_BATCHES = "own-batches"
    PAGES = "pages"
    SERVER_SIDE_CURSOR = "server-side-cursor"
    SPLIT_MIGRATION = "split-migration"
    UPDATE_EXPRESSION = "update-expression"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line of code.  ``source`` is its text, empty where there is none."""

    file: str
    line: LineNumber | None
    function: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Line(Place):
    """What one line adds to the peak with each row.

    ``via`` is the library's line under this line of the project.  ``share`` is of the measured
    ``bytes_per_row``, ``bytes`` what it comes to at production's row count; ``kind`` is
    ``"python"``, ``"c"`` for memory of a C library, ``"allocator"`` for what was not asked for.
    """

    kind: str = "python"
    bytes_per_row: Difference
    share: Share
    bytes: Difference | None = None
    via: Place | None = None


@dataclass(frozen=True)
class Advice:
    """A change to one line.  ``bytes_per_row`` is what it would save, ``peak_bytes`` what would
    remain at production's row count; ``tried`` says that both were measured with the change made.
    """

    code: AdviceCode
    message: str
    evidence: str = ""
    file: str = ""
    line: LineNumber | None = None
    bytes_per_row: Difference | None = None
    peak_bytes: Bytes | None = None
    tried: bool = False


@dataclass(frozen=True)
class Stacks:
    """What memray's flame graph is drawn from: the stacks that grow, at ``rows`` rows.

    ``frames`` are function, file and line; each of ``stacks`` is bytes and blocks a row, and the
    positions of its frames, innermost first.
    """

    rows: Rows
    frames: tuple[tuple[str, str, LineNumber], ...]
    stacks: tuple[tuple[Figure, Figure, tuple[Rows, ...]], ...]

    def __post_init__(self) -> None:
        if any(index >= len(self.frames) for *_, stack in self.stacks for index in stack):
            raise ValueError(f"a stack refers to a frame outside the {len(self.frames)} frames")


@dataclass(frozen=True)
class Attribution:
    """Why the peak grows: the keys of a result that say so.

    ``attribution_note`` says what the lines leave open, or why there are none.
    """

    attribution: tuple[Line, ...] = ()
    attribution_note: str | None = None
    advice: tuple[Advice, ...] = ()
    stacks: Stacks | None = field(default=None, repr=False)
