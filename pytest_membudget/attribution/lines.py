"""Growth by line: the project's own line first, with the library's line under it."""

from __future__ import annotations

import linecache
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from pytest_membudget.attribution.allocator import LARGEST_SMALL, MALLOC
from pytest_membudget.attribution.growth import Frame, Stack
from pytest_membudget.database.engine import Engine
from pytest_membudget.judge.explanation import Line, Place
from pytest_membudget.judge.figures import MOST_SHARE
from pytest_membudget.project.ownership import Ownership, short_path

_DRIVER = "<database driver>"
_LEAST_SHARE = 0.01
# Between a project's call and what it calls, and on every database call: they tell nothing.
_WRAPPERS = {"manager_method", "inner", "<lambda>", "__exit__", "wait"}
_WRAPPER_FILES = ("django/db/backends/utils.py", "django/utils/asyncio.py", "contextlib.py")

HELD_BY_CACHE = "result-cache"
HELD_BY_STREAM = "stream"
WHEN_CLAUSES = "when-clauses"
COPIES = "bulk-create"
CLIENT_RESULT = "client-result"
FETCHED = "fetched"
DEBUG_LOG = "debug-log"
OTHER = "other"

_ALLOCATORS = "rounded sizes, pools, arenas, and freed memory that is kept"
CLIENT_HOLDS = "held by libpq, the database's client library"
_HELD = "held by {} for the statement and its result; freed since, but not returned to the system"
# Not where psycopg writes a statement's parameters into it, which is Python's memory.
_SENDS = (_DRIVER, "psycopg/_cursor_base.py", "psycopg/generators.py")


@dataclass(frozen=True)
class Site:
    """The call site of some growth.  ``cause`` says what of Django's holds it."""

    own: Frame
    via: Frame | None
    cause: str


def sites(stacks: Iterable[Stack], owned: Ownership, engine: Engine) -> dict[Site, list[Stack]]:
    """The stacks by call site."""
    by_site: dict[Site, list[Stack]] = defaultdict(list)
    for stack in stacks:
        by_site[_site(stack, owned, engine)].append(stack)
    return by_site


@dataclass(frozen=True)
class Scale:
    """What the traced bytes a row are held against.

    ``measured`` are the bytes a row that the peak RSS grew by, None where one figure doesn't say
    it; ``grown`` are the bytes that it grows by to production.
    """

    measured: float | None
    grown: float | None


def lines(
    by_site: dict[Site, list[Stack]],
    results: dict[tuple[str, int], float],
    kept: float,
    scale: Scale,
    engine: Engine,
) -> list[Line]:
    """Rows of the report, largest first, those of allocators last.

    ``results`` are the bytes a row that statements and their results took, by the project's line,
    ``kept`` those that malloc did not give back.
    """
    sums = {site: sum(one.bytes_per_row for one in stacks) for site, stacks in by_site.items()}
    traced = sum(sums.values())
    whole = scale.measured or traced
    if whole <= 0:
        return []
    found = []

    def add(place: Place, via: Place | None, kind: str, size: float) -> None:
        share = size / whole
        if share < _LEAST_SHARE:
            return
        grown = None if scale.grown is None else round(scale.grown * share)
        found.append(
            Line(
                **asdict(place),
                kind=kind,
                bytes_per_row=round(size),
                share=round(min(share, MOST_SHARE), 4),
                bytes=grown,
                via=via,
            )
        )

    for site, size in sums.items():
        kind = "c" if site.cause == CLIENT_RESULT else "python"
        add(_place(site.own), None if site.via is None else _place(site.via), kind, size)
    # What was not alive any more, and estimates, never take more than what the lines leave.
    left = max(0.0, whole - traced)
    for (file, line), size in results.items():
        alive = sum(
            held
            for site, held in sums.items()
            if site.cause == CLIENT_RESULT and site.own[1:] == (file, line)
        )
        held = min(left, max(0.0, size - alive))
        left -= held
        of_library = Place(file="", line=None, function=_HELD.format(engine.client_library))
        own = next((site.own for site in sums if site.own[1:] == (file, line)), ("", file, line))
        add(_place(own), of_library, "c", held)
    found.sort(key=lambda line: -line.bytes_per_row)
    overhead = kept + sum(one.overhead for stacks in by_site.values() for one in stacks)
    if scale.measured is not None:
        overhead = min(overhead, left)
    add(Place(file="<allocator>", line=None, function=_ALLOCATORS), None, "allocator", overhead)
    return found


def _site(stack: Stack, owned: Ownership, engine: Engine) -> Site:
    files = [file for _, file, _ in stack.frames]
    of_project = (depth for depth, file in enumerate(files) if owned.is_own(file))
    # Where no line is the project's: the operation of the migration, else the outermost frame.
    of_django = (i for i, file in enumerate(files) if "django/db/migrations/operations/" in file)
    depth = next(chain(of_project, of_django), len(files) - 1)
    own = stack.frames[depth] if stack.frames else ("<no Python frame>", "<C code>", 0)
    below = stack.frames[:depth]
    telling = [
        (function, file, line)
        for function, file, line in below
        if function not in _WRAPPERS and not file.endswith(_WRAPPER_FILES)
    ]
    cause = _cause(stack, below, engine)
    via = telling[-1] if telling else next(iter(below), None)
    if cause == CLIENT_RESULT:
        via = (CLIENT_HOLDS, below[0][1], below[0][2])
    return Site(own, via, cause)


def _cause(stack: Stack, below: Sequence[Frame], engine: Engine) -> str:
    functions = {function for function, file, _ in below if "django/db/" in file}
    if "debug_sql" in functions:
        return DEBUG_LOG
    if engine.client_holds_results and below and _is_of_client(stack, below[0]):
        return CLIENT_RESULT
    if "_fetch_all" in functions:
        return HELD_BY_CACHE
    if "bulk_update" in functions:
        return WHEN_CLAUSES
    if "bulk_create" in functions:
        return COPIES
    if "_iterator" in functions or "results_iter" in functions:
        return HELD_BY_STREAM
    if any(function == "fetchall" for function, _, _ in below):
        return FETCHED
    return OTHER


def _is_of_client(stack: Stack, frame: Frame) -> bool:
    """Whether libpq asked for the memory: for a statement, before any row is fetched.

    Where a small object of Python's was asked for there as well, memray may name Python's allocator
    for all of the stack; libpq's blocks are larger than those of Python's objects.
    """
    function, file, _ = frame
    if file == _DRIVER:
        of_client = function == "execute"
    else:
        of_client = "/psycopg" in file and not function.lstrip("_").startswith(("fetch", "load"))
    if stack.allocator == MALLOC:
        return of_client
    large = stack.bytes_per_row > LARGEST_SMALL * stack.blocks_per_row
    return of_client and large and file.endswith(_SENDS)


def _place(frame: Frame) -> Place:
    function, file, line = frame
    source = linecache.getline(file, line).strip()
    return Place(file=short_path(file), line=line or None, function=function, source=source)
