"""Files: documents that others have written, which msgspec reads, and reports that are written.

An error in a document names the path of what is wrong in it.  msgspec is not imported at start-up.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible

Kind = TypeVar("Kind")
Steps = list[str | int]

_ANY_KEY = "..."
# PostgreSQL's names have 63 bytes, MySQL's 64 characters: those are never cut.
_LONGEST = 64
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_EXPECTED = re.compile(r"Expected `(.+?)`(?:, got `.+`)?(.*)", re.DOTALL)
_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
}
_REWORDED = {"Invalid RFC3339 encoded date": 'Expected `a day as in "2026-11-21"`'}


def read_bytes(path: str | Path, command: str, name: str | None = None) -> bytes:
    """What a file holds that ``command`` writes.  Raises BudgetError, which calls it ``name``."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BudgetError(f"{name or path}: {reason}; create one with `{command}`") from None


def parse_json(text: str | bytes, source: str) -> Any:
    """The plain values of a JSON text.  BudgetError calls it ``source``."""
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise BudgetError(f"{source} is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BudgetError(f"{source} is not JSON: {error}") from None


def convert(document: object, kind: type[Kind], source: str) -> Kind:
    """Plain values as a ``kind``.  BudgetError names ``source`` and the path of what is wrong."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise BudgetError(f"{source}: {_explained(document, kind, str(error))}") from None
    except RecursionError:
        raise BudgetError(f"{source} is nested too deeply") from None


def joined(path: Steps) -> str:
    """``tables.shop_order.columns.note``: odd names quoted, positions in ``[]``, long keys cut."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = re.fullmatch(r"[\w-]+", step) and step.isprintable()
            text += ("." if text else "") + _cut(step if plain else json.dumps(step))
    return text


def _explained(document: Any, kind: type[Any], problem: str) -> str:
    what, _, where = problem.rpartition(" - at `")
    if not what:
        what, where = problem, "$`"
    path = _located(document, kind, problem, where)
    what = _REWORDED.get(what, what)
    place = joined(path) or "it"
    if (match := _EXPECTED.fullmatch(what)) is None:
        text = f"{joined(path)}: {what[0].lower()}{what[1:]}" if path else what
        return visible(text, keep="")
    expected = " or ".join(_NAMES.get(name, name) for name in match[1].split(" | "))
    return f"{place} is {_quoted(_at(document, path))}, expected {expected}{match[2]}"


def _located(document: Any, kind: type[Any], problem: str, where: str) -> Steps:
    """The path in full.  msgspec leaves out the keys of mappings, so the mapping is cut down to
    one key after the other until the problem is the same.
    """
    path: Steps = []
    for name, index in _STEP.findall(where):
        if index != _ANY_KEY:
            path.append(int(index) if index else name)
            continue
        for key in _at(document, path):
            alone = _with(document, path, {key: _at(document, path)[key]})
            if _problem(alone, kind) == problem:
                document = alone
                path.append(key)
                break
        else:
            return path
    return path


def _problem(document: Any, kind: type[Any]) -> str | None:
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _at(document: Any, path: Steps) -> Any:
    for step in path:
        document = document[step]
    return document


def _with(document: Any, path: Steps, value: Any) -> Any:
    """A copy of the document in which ``value`` stands at ``path``."""
    if not path:
        return value
    changed = document.copy()
    changed[path[0]] = _with(document[path[0]], path[1:], value)
    return changed


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return _cut(json.dumps(value, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def write_text(path: str, text: str) -> None:
    """Write a file as :func:`write_bytes` does; what is no text is escaped."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: str, content: bytes) -> None:
    """Write a file, at once where it is one that can be replaced.

    Raises BudgetError, which names it, where that can't be done.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_replaceable(target) and os.access(target.parent, os.W_OK):
            part = part_of(target)
            part.write_bytes(content)
            part.replace(target)
        else:
            target.write_bytes(content)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def part_of(path: Path) -> Path:
    """The file that will replace ``path``."""
    return path.with_name(f"{path.name}.part")


def is_replaceable(path: Path) -> bool:
    """Whether it is a regular file or none: not a pipe or a terminal, nor a link to one."""
    return not path.is_symlink() and (path.is_file() or not path.exists())


def unwritable(path: str, error: Exception) -> BudgetError:
    """That a report can't be written, and why."""
    reason = getattr(error, "strerror", None) or str(error)
    return BudgetError(f"{path} can't be written: {reason.lower()}")
