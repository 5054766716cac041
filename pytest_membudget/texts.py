"""Texts that others have written, made fit to be shown: in a terminal, a log, a page, an error."""

from __future__ import annotations

import re
import reprlib
import unicodedata
from enum import Enum

# Control characters, lone surrogates, and the marks that change the direction of a text.
_HIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# As the runners of GitHub, Azure and TeamCity read them: the first kind stands at the beginning of
# a line (actions/runner, src/Runner.Common/ActionCommand.cs), the second anywhere in it.
_COMMAND = re.compile(r"(?m)^(\s*):(?=:)|#(?=#[\w-]*\[)")

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def visible(text: str, keep: str = "\n\t") -> str:
    """Write each control character as an escape, ``"\\x1b"``, but for those of ``keep``."""
    if text.isprintable():
        return text
    hidden = {
        one
        for one in set(text).difference(keep)
        if one in _DIRECTION or unicodedata.category(one) in _HIDDEN
    }
    return text.translate({ord(one): one.encode("unicode_escape").decode() for one in hidden})


def log_text(text: str) -> str:
    """A text for a terminal or the log of a CI job, which runs no command that a line contains."""
    return _COMMAND.sub(
        lambda match: f"{match[0]}\\" if match[0] == "#" else f"{match[1]}\\:", text
    )


def shown(value: object) -> str:
    """A value as an error quotes it: short, on one line, whatever it is."""
    try:
        return visible(_SHORT.repr(value), keep="")
    except Exception:  # a value's own __repr__, or an int of thousands of digits
        return f"<{type(value).__name__}>"


class TextEnum(str, Enum):
    """Members equal their text and are formatted as it; ``enum.StrEnum`` needs Python 3.11."""

    def __str__(self) -> str:
        return str.__str__(self)


class OpenTextEnum(TextEnum):
    """One that another version may have more members of: a text that is none becomes one."""

    @classmethod
    def _missing_(cls, value: object) -> OpenTextEnum | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown
