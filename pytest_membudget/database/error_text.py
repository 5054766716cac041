"""An exception as text, without the values of rows and statements that a driver puts into it.

The worker imports this module only after a failure.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_membudget.database.engine import MARIADB

_LEVELS = ("CRITICALS:", "ERRORS:")
_PACKAGE = str(Path(__file__).parents[1])
_MASK = "********"
# Values that could not be read or stored: "22" is the class of SQLSTATE for data exceptions.
_DATA = "22"
_QUOTED = re.compile("[\"'»«„“”].*[\"'»«„“”]", re.DOTALL)
# A quote, a dollar or a digit begins a literal.
_LITERAL = re.compile(r"\"(?=['$\d]|[ebx]').*\"", re.IGNORECASE | re.DOTALL)
# MariaDB's errors in whose text only names stand in quotes; see its "Error Codes".
_NAMES_ONLY = {
    1005, 1022, 1025, 1044, 1045, 1048, 1049, 1050, 1051, 1054, 1060, 1061, 1068, 1072, 1091, 1109,
    1142, 1143, 1146, 1205, 1213, 1216, 1217, 1227, 1265, 1305, 1364, 1406, 1451, 1452, 3819, 4025,
}  # fmt: skip
_BEFORE_NAME = re.compile(r"'.*?'(?= for (?:key '[^']*'|column [^']*)\Z)", re.DOTALL)
_ANY_TEXT = re.compile("'.*'", re.DOTALL)
_UNRECOGNIZED = re.compile("(unrecognized token: ).*", re.DOTALL)


def message(error: BaseException) -> str:
    """``str(error)`` without values."""
    return _without_values(str(error), error).strip()


def first_line(error: BaseException) -> str:
    """The exception's name and the first line of its message that says what is wrong."""
    name, text = type(error).__name__, message(error)
    lines = text.splitlines()
    if name == "SystemCheckError":  # those of a level follow its heading
        issues = [line for heading, line in pairwise(lines) if heading in _LEVELS]
        lines = issues or lines
    return f"{name}: {lines[0]}" if text else name


def origin(error: BaseException) -> BaseException:
    """What was raised before Django found that the transaction can't go on.

    On SQLite it checks constraints at the end of an atomic migration that has raised.
    """
    while type(error).__name__ == "TransactionManagementError" and error.__context__ is not None:
        error = error.__context__
    return error


def traceback_of(error: BaseException) -> str:
    """The whole traceback, with those of its causes."""
    return _without_values("".join(traceback.format_exception(error)), error)


def traceback_from_migration(error: BaseException) -> str:
    """The traceback without the frames above the migration, which are Django's."""
    told = traceback.TracebackException.from_exception(error)
    frames: list[traceback.FrameSummary] = []
    for frame in told.stack:
        if frame.filename.endswith("migrations/executor.py"):
            frames.clear()
        elif not frame.filename.startswith(_PACKAGE):
            frames.append(frame)
    told.stack = traceback.StackSummary.from_list(frames)
    return _without_values("".join(told.format(chain=False)), error)


def _without_values(text: str, error: BaseException) -> str:
    """The text with the messages of drivers replaced, those of the error's causes included."""
    for one in _chain(error):
        said, safe = str(one), _safe(one)
        if safe is not None and said:
            text = text.replace(said, safe).replace(said.strip(), safe)
    return text


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            behind = (one.__cause__, one.__context__, *getattr(one, "exceptions", ()))
            waiting += [other for other in behind if other is not None]


def _safe(error: BaseException) -> str | None:
    """The message of a driver's exception without values; None where it is no driver's.

    psycopg's text goes on with the statement and the row, in the server's language.
    """
    sqlite = sys.modules.get("sqlite3")
    if sqlite is not None and isinstance(error, sqlite.Error):
        return _UNRECOGNIZED.sub(rf"\1{_MASK}", _LITERAL.sub(f'"{_MASK}"', str(error)))
    if _is_of_mysql(error):
        return _of_mysql(error)
    told: Any = getattr(error, "diag", None)
    primary = getattr(told, "message_primary", None)
    if not primary:
        return None
    hidden = _QUOTED if str(told.sqlstate).startswith(_DATA) else _LITERAL
    hint = f"\nHINT:  {told.message_hint}" if told.message_hint else ""
    return hidden.sub(f'"{_MASK}"', primary) + hint


def _is_of_mysql(error: BaseException) -> bool:
    drivers = (sys.modules.get(name) for name in MARIADB.drivers)
    return any(isinstance(error, driver.Error) for driver in drivers if driver is not None)


def _of_mysql(error: BaseException) -> str:
    """The text after the number."""
    if len(error.args) != 2:
        return type(error).__name__
    number, text = error.args
    if number not in _NAMES_ONLY:
        text, count = _BEFORE_NAME.subn(f"'{_MASK}'", str(text))
        text = text if count else _ANY_TEXT.sub(f"'{_MASK}'", text)
    return f"({number}, {text})"
