"""Keep secrets out of every text that is shown.

Settings and environment variables are secret where their names say so.  Their values are replaced,
as are credentials in addresses and what PostgreSQL tells of a row in the text of an error.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

T = TypeVar("T")

MASK = "********"
# As in Django's SafeExceptionReporterFilter.hidden_settings, and some more.
_SECRET = re.compile(
    "API|AUTH(?!ORS?(?:_|$))|TOKEN|KEY|SECRET|PASS|_PWD|SIGNATURE|HTTP_COOKIE|CREDENTIAL|DSN"
    "|PRIVATE",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"\b(?:password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;&]+)", re.I)
# Values that messages are made of: to replace them would protect nothing.
_ORDINARY = re.compile(r".{0,3}|[a-z_]{4,9}|\d{4,5}|True|False|postgresql", re.DOTALL)
# A shorter one has to stand as a word of its own.
_LONG = 16
_DEEP = 8

_CREDENTIALS = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
# In PostgreSQL's errors these labels begin values of rows, and a line quotes the statement.
_DETAIL = re.compile(
    r"\s*\b(?:DETAIL|CONTEXT|QUERY):.*?(?=\n\s*HINT:|\n[ \t]*\n|\nTraceback|\Z)", re.DOTALL
)
_LINE = re.compile(r"\n\s*LINE \d+:.*(?:\n\s*\^)?")
_INPUT = re.compile(r'(\binvalid input (?:syntax|value) for [^:\n]*: ").*?("?)$', re.MULTILINE)


class Secrets:
    """Values that are not shown."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values = frozenset(values)

    def hide(self, text: str) -> str:
        """The text with a mask in place of each, and without the values of rows in errors."""
        text = _CREDENTIALS.sub(MASK, _LINE.sub("", _DETAIL.sub("", text)))
        text = _INPUT.sub(rf"\g<1>{MASK}\g<2>", text)
        return self._pattern.sub(MASK, text) if self.values else text

    def hide_in(self, value: T) -> T:
        """The same for every text in plain data and in dataclasses; keys and enumerations stay."""
        hidden: Any = value
        if isinstance(value, str) and not isinstance(value, Enum):
            hidden = self.hide(value)
        elif isinstance(value, Mapping):
            hidden = {key: self.hide_in(one) for key, one in value.items()}
        elif isinstance(value, list | tuple):
            hidden = type(value)(map(self.hide_in, value))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.init]
            changed = {name: self.hide_in(getattr(value, name)) for name in names}
            hidden = dataclasses.replace(value, **changed)
        return hidden  # type: ignore[no-any-return]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms, patterns = set(self.values), []
        for value in self.values:
            # In Python's or JSON's notation, or in an address.
            python, in_json = repr(value)[1:-1], json.dumps(value)[1:-1]
            forms |= {python, python.replace("'", r"\'"), in_json, quote(value, safe="")}
        for form in sorted(forms, key=len, reverse=True):
            text = re.escape(form)
            alone = rf"(?<![A-Za-z0-9]){text}(?![A-Za-z0-9])"
            patterns.append(text if len(form) >= _LONG else alone)
        return re.compile("|".join(patterns))


def known_secrets() -> Secrets:
    """Those of this process: of its environment, and of the settings where they are loaded."""
    found = set(_leaves(dict(os.environ), secret=False))
    names: set[str] = set()
    conf = sys.modules.get("django.conf")
    if conf is not None and conf.settings.configured:
        settings = conf.settings
        own = [name for name in dir(settings) if name.isupper() and settings.is_overridden(name)]
        found.update(_leaves({name: _setting(settings, name) for name in own}, secret=False))
        names = {part for app in settings.INSTALLED_APPS for part in str(app).split(".")}
    return Secrets(value for value in found if not _is_ordinary(value, names))


def _setting(settings: Any, name: str) -> Any:
    """Its value; None of one that Django refuses, as an empty SECRET_KEY."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")  # of settings that are deprecated
        return getattr(settings, name)
    return None


def _leaves(value: Any, *, secret: bool, depth: int = 0) -> Iterator[str]:
    """The texts in a value that are secret.  The class is asked for: a lazy object stays lazy."""
    kind = type(value)
    if depth > _DEEP:
        return
    if issubclass(kind, bytes):
        yield from _leaves(value.decode(errors="replace"), secret=secret, depth=depth)
    elif issubclass(kind, str):
        yield from _passwords(value)
        if secret:
            yield from {value.strip(), *(line for line in value.split("\n") if len(line) >= _LONG)}
    elif issubclass(kind, Mapping):
        for name, one in value.items():
            hidden = secret or bool(_SECRET.search(str(name)))
            yield from _leaves(one, secret=hidden, depth=depth + 1)
    elif issubclass(kind, list | tuple | set | frozenset):
        for one in value:
            yield from _leaves(one, secret=secret, depth=depth + 1)


def _passwords(text: str) -> Iterator[str]:
    """Those in an address or a connection string, whatever it is called."""
    yield from (found.strip("'") for found in _PASSWORD.findall(text))
    try:
        password = urlsplit(text).password if "://" in text else None
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _is_ordinary(value: str, names: set[str]) -> bool:
    """Whether it is a word, a path, or the name of a module or of something in an app."""
    if _ORDINARY.fullmatch(value) or value in names:
        return True
    if value.startswith("/"):
        return len(value) < 256 and Path(value).exists()
    if not all(part.isidentifier() for part in value.split(".")):
        return False
    first = value.split(".")[0]
    return first in names or first in sys.modules or find_spec(first) is not None
