"""What a migration that raised expected of the row that it raised on.

The worker imports this module only after a failure, in which nothing is measured any more.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_membudget.processes.worker.documents import document_of, paths_in
from pytest_membudget.processes.worker.stack import Place, chain, innermost, places_of
from pytest_membudget.sample.lesson import Breakage, Expected, Lesson

_CONVERSIONS = (
    (r"invalid literal for int|string to float|ConversionSyntax", Expected.NUMBER),
    (r"syntax for type (small|big)?int|syntax for type (numeric|double|real)", Expected.NUMBER),
    (r"Invalid isoformat|does not match format|syntax for type (date|time)", Expected.DATE),
    (r"hexadecimal UUID|is not a valid UUID|syntax for type uuid", Expected.UUID),
    (r"JSONDecodeError|syntax for type json|malformed JSON", Expected.JSON),
)
_QUOTED = re.compile(r"""(?P<quote>['"“])(?P<text>(?:\\.|(?!(?P=quote)|”).)*)""", re.DOTALL)
_FORMAT = re.compile(r"does not match format '([^']+)'")
# What PostgreSQL, SQLite and Django's decimals say of a number that is too large.
_TOO_LARGE = (
    (r"smallint out of range", 2**15),
    (r"integer out of range", 2**31),
    (r"bigint out of range|too large to convert to SQLite", 2**63),
)
_UNIQUE = re.compile(r"UNIQUE constraint failed: (\w+)\.")
_POWER = re.compile(r"less than 10\^(\d+)")
_MOST_VALUES = 50
_SHORTEST = 3


def breakage_of(error: BaseException) -> Breakage | None:
    """None where nothing can be said of a row."""
    one: BaseException | None = error
    places: list[Place] = []
    while one is not None:
        places += places_of(one)
        # Code of the project may raise anything, and hold objects that do so.
        with suppress(Exception):
            if places and (found := _breakage(one, places)) is not None:
                return found
        one = one.__cause__ or one.__context__
    return None


def _breakage(error: BaseException, places: list[Place]) -> Breakage | None:
    if type(error) is KeyError:
        return _missing_key(error, places)
    if isinstance(error, FileNotFoundError):
        return _missing_file(error, places)
    kind = type(error).__name__
    if kind in ("DoesNotExist", "MultipleObjectsReturned"):
        return _not_one_row(kind, places)
    said = f"{kind}: {error} {getattr(getattr(error, 'diag', None), 'message_detail', None)}"
    if (bound := _bound(said, places)) is not None:
        return _found(places, Expected.BELOW, asked=[bound])
    if kind == "IntegrityError" and re.search("NOT NULL|null value|cannot be null", said):
        return _null_keys(places)
    if kind in ("IntegrityError", "UniqueViolation") and (table := _taken(error, said)):
        return _found(places, Expected.NONE, [], columns=[(table, "")])
    for pattern, expected in _CONVERSIONS:
        if re.search(pattern, said):
            asked = _format(said, places) if expected == Expected.DATE else []
            return _found(places, expected, asked, value=_text(error, said, places))
    return None


def _taken(error: BaseException, said: str) -> str | None:
    """The table of the row that has the values of one that was to be inserted."""
    table = getattr(getattr(error, "diag", None), "table_name", None)
    if table and "duplicate key" in said:
        return str(table)
    unique = _UNIQUE.search(said)
    return unique[1] if unique else None


def _missing_file(error: FileNotFoundError, places: list[Place]) -> Breakage | None:
    """One of MEDIA_ROOT, by the name that a column holds."""
    from django.core.files.storage import default_storage

    name = Path(error.filename).relative_to(default_storage.location).as_posix()  # type: ignore[attr-defined]
    return _found(places, Expected.FILE, [], value=name)


def _found(places: list[Place], expected: Expected, asked: list[Any], **known: Any) -> Breakage:
    columns = known.pop("columns", [])
    return Breakage(Lesson(expected, columns, asked), str(innermost(places)), **known)


def _text(error: BaseException, said: str, places: list[Place]) -> str:
    """The text that could not be converted; empty where it is not known."""
    if isinstance(document := getattr(error, "doc", None), str):
        return document
    if "json" in said.lower():  # a database quotes a part of it at most
        return ""
    quoted = _QUOTED.search(said)
    part = quoted["text"] if quoted and "ConversionSyntax" not in said else ""
    texts = [one for one in innermost(places).values() if isinstance(one, str)]
    # The code may have added something to it.
    within = [one for one in texts if len(one) >= _SHORTEST and one in part]
    return max([one for one in texts if part in one] or within, key=len, default=part)


def _format(said: str, places: list[Place]) -> list[str]:
    """How the code writes the date that it expects; empty where a day without a time will do."""
    if found := _FORMAT.search(said):
        return [found[1]]
    at = innermost(places)
    for node in at.nodes():
        if isinstance(node, ast.Attribute) and node.attr == "fromisoformat":
            with suppress(LookupError, TypeError, ValueError):
                return ["%Y-%m-%dT%H:%M:%S"] if at.value(node.value) is datetime else []
    return []


def _bound(said: str, places: list[Place]) -> int | None:
    """The number that one of its numbers was not below; None where none was too large."""
    if power := _POWER.search(said):
        return int(10 ** int(power[1]))
    if said.startswith("InvalidOperation"):
        for place in reversed(places):
            held = place.frame.f_locals
            if held.get("max_digits") is not None and "decimal_places" in held:
                return int(10 ** (held["max_digits"] - (held["decimal_places"] or 0)))
    return next((bound for text, bound in _TOO_LARGE if re.search(text, said)), None)


def _not_one_row(kind: str, places: list[Place]) -> Breakage | None:
    """A queryset's get(): the rows that it looked for, or the only row of a table."""
    frames = (one.frame for one in reversed(places))
    held = next(f.f_locals for f in frames if f.f_code.co_name == "get" and "clone" in f.f_locals)
    where, meta = held["clone"].query.where, held["self"].model._meta
    several = kind == "MultipleObjectsReturned"
    if several and not where.children:
        if held["clone"].query.distinct:
            return None
        return _found(places, Expected.SINGLE, [meta.label], columns=[(meta.db_table, "")])
    if where.negated or where.connector != "AND":
        return None
    fields = {lookup.lhs.target: lookup.rhs for lookup in where.children}
    exact = all(one.lookup_name == "exact" for one in where.children)
    # Of the rows that refer to one of many, each of these may have to have one.
    if not fields or not exact or (several and any(one.is_relation for one in fields)):
        return None
    columns = [(field.model._meta.db_table, str(field.column)) for field in fields]
    values = list(fields.values())
    by_key = list(fields) == [meta.pk] and isinstance(values[0], int | str)
    key = {"value": values[0], "label": meta.label} if by_key else {}
    return _found(places, Expected.ROW, values, columns=columns, **key)


def _null_keys(places: list[Place]) -> Breakage | None:
    """The keys of documents that an update() takes its values from: one that is missing is NULL."""
    frames = (one.frame for one in reversed(places))
    held = next(
        f.f_locals for f in frames if f.f_code.co_name == "update" and "query" in f.f_locals
    )
    columns, paths = list[tuple[str, str]](), list[list[str]]()
    for _, _, value in held["query"].values:
        for node in value.flatten():
            path = list[str]()
            while hasattr(node, "key_name"):
                path.insert(0, node.key_name)
                [node] = node.get_source_expressions()
            if path:
                columns.append((node.target.model._meta.db_table, str(node.target.column)))
                paths.append(path)
    return _found(places, Expected.KEYS, paths, columns=columns) if paths else None


def _missing_key(error: BaseException, places: list[Place]) -> Breakage | None:
    [key] = error.args
    for at in reversed(places):
        for node in at.nodes():
            base, keys = chain(node)
            with suppress(LookupError, TypeError, ValueError):
                holder = at.value(base)
                for depth, one in enumerate(keys):
                    name = at.value(one)
                    if isinstance(holder, dict) and name not in holder and name == key:
                        if at.names(key):
                            return _keys(at, places, base, [*map(at.value, keys[: depth + 1])])
                        values = [one for one in holder if isinstance(one, str)][:_MOST_VALUES]
                        asked = values if isinstance(key, str) else []
                        return _found(places, Expected.VALUES, asked, value=key) if asked else None
                    holder = holder[name]
    return None


def _keys(at: Place, places: list[Place], base: ast.expr, keys: list[Any]) -> Breakage:
    """All keys that the function asks of the same expression: the next ones would break as well."""
    document, within = document_of(at.value(base), places)
    above = ["*" if isinstance(one, int) else one for one in within]
    paths = {(*above, *keys), *((*above, *path) for path in paths_in(at, ast.dump(base)))}
    asked = [list(path) for path in sorted(paths, key=lambda one: [*map(str, one)])]
    return _found(places, Expected.KEYS, asked, value=document, within=within)
