"""The whole numbers that a migration's code names: among them the sizes of chunks and buffers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType

from pytest_membudget.project.ownership import is_own_source

# With fewer rows than that every check leaves the threshold behind.
LEAST = 50
_CACHED = type(lru_cache(lambda: None))


def named_numbers(functions: Iterable[object]) -> list[int]:
    """Literals, defaults and constants of ``functions``, and of the project's code they call.

    Sorted.  Nothing of the project is called or compared.
    """
    found = {number for value, _ in _all_reached(functions) if (number := whole(value))}
    return sorted(number for number in found if number >= LEAST)


def whole(value: object) -> int | None:
    """The whole number that a value is; None of any other."""
    # The exact type: isinstance() asks a lazy object for its class, which makes it work.
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() else None


def functions_reached(functions: Iterable[object]) -> Iterator[FunctionType]:
    """``functions``, and those of the project that they call."""
    for value, asked_for in _all_reached(functions):
        if type(value) is FunctionType and (asked_for or is_own_source(value.__code__)):
            yield value


def _all_reached(functions: Iterable[object]) -> Iterator[tuple[object, bool]]:
    """Each value that they lead to, and whether it is one of ``functions``."""
    seen: set[int] = set()
    given = list(functions)  # an id is of one object as long as that is alive
    waiting = [(value, True) for value in given]
    while waiting:
        value, asked_for = waiting.pop()
        if id(value) not in seen or type(value) in (int, float):
            seen.add(id(value))
            yield value, asked_for
            waiting += [(one, False) for one in _reached(value, asked_for=asked_for)]


def _reached(value: object, *, asked_for: bool) -> Iterator[object]:
    """What a value of the project's own leads to."""
    if type(value) is tuple or type(value) is frozenset:
        yield from value
    elif type(value) is partial:
        yield from (value.func, *value.args, *value.keywords.values())
    elif type(value) is MethodType:
        yield value.__func__
    elif type(value) is _CACHED:
        yield from (value.__wrapped__, value.cache_parameters()["maxsize"])
    elif type(value) is FunctionType:
        yield from _from_function(value, asked_for=asked_for)
    elif type(value) is type and is_own_source(sys.modules.get(str(value.__module__))):
        yield from vars(value).values()


def _from_function(function: FunctionType, *, asked_for: bool) -> Iterator[object]:
    yield function.__dict__.get("__wrapped__")
    yield from closure(function).values()
    if not asked_for and not is_own_source(function.__code__):
        return
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for code in _nested(function.__code__):
        yield from code.co_consts
        for name in code.co_names:
            there = function.__globals__.get(name)
            yield there
            if type(there) is ModuleType and is_own_source(there):
                yield from (vars(there).get(attribute) for attribute in code.co_names)


def closure(function: FunctionType) -> dict[str, object]:
    """The variables of the functions around it that have a value by now."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
