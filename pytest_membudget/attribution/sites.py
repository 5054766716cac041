"""The lines where memory grows: the project's own, the library's line under it, and the cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from pytest_membudget.attribution.growth import LARGEST_SMALL, MALLOC, Frame, Stack
from pytest_membudget.database.engine import Engine
from pytest_membudget.project.ownership import Ownership

_DRIVER = "<database driver>"
# Between a project's call and what it calls, and on every database call: they tell nothing.
_WRAPPERS = {"manager_method", "inner", "<lambda>", "__exit__", "wait"}
_WRAPPER_FILES = ("django/db/backends/utils.py", "django/utils/asyncio.py", "contextlib.py")

HELD_BY_CACHE = "result-cache"
HELD_BY_STREAM = "stream"
IN_BULK = "in-bulk"
WHEN_CLAUSES = "when-clauses"
COPIES = "bulk-create"
CLIENT_RESULT = "client-result"
FETCHED = "fetched"
DEBUG_LOG = "debug-log"
OTHER = "other"

CLIENT_HOLDS = "held by {}, the database's client library"
# Not where psycopg writes a statement's parameters into it, which is Python's memory.
_SENDS = (_DRIVER, "psycopg/_cursor_base.py", "psycopg/generators.py")
# They hold all rows, as Python's objects, once a statement is carried out; these write a statement.
_MYSQL = ("/pymysql/", "/MySQLdb/")
_WRITES = {"_mogrify", "mogrify", "_do_execute_many", "escape", "literal", "_escape_string"}


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
        via = (CLIENT_HOLDS.format(engine.client_library), below[0][1], below[0][2])
    return Site(own, via, cause)


def _cause(stack: Stack, below: Sequence[Frame], engine: Engine) -> str:
    functions = {function for function, file, _ in below if "django/db/" in file}
    if "debug_sql" in functions:
        return DEBUG_LOG
    if engine.client_holds_results and below and _is_of_client(stack, below[0]):
        return CLIENT_RESULT
    if "in_bulk" in functions:
        return IN_BULK
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
    if any(driver in file for driver in _MYSQL):
        return function not in _WRITES and not file.endswith("converters.py")
    if file == _DRIVER:
        of_client = function == "execute"
    else:
        of_client = "/psycopg" in file and not function.lstrip("_").startswith(("fetch", "load"))
    if stack.allocator == MALLOC:
        return of_client
    large = stack.bytes_per_row > LARGEST_SMALL * stack.blocks_per_row
    return of_client and large and file.endswith(_SENDS)
