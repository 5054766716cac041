"""A message as a line of JSON: its fields, with the class and the version of the protocol.

The standard library's json is used, since what migrations write holds what JSON lacks: NaN,
integers of any size, lone surrogates.  The worker, which is weighed, reads its job without msgspec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from pytest_membudget.errors import ServerError

VERSION = 1
_PACKAGE = f"{__name__.partition('.')[0]}."
M = TypeVar("M")


def encode(message: Any) -> str:
    """A message of any class as a line, without its end."""
    return json.dumps(
        {"version": VERSION, "kind": type(message).__name__, **_fields(message)}, default=_plain
    )


def parse(line: str | bytes) -> tuple[str, dict[str, Any]]:
    """The kind and the fields of a line.

    Raises ValueError for what is no whole line, and ServerError where it is of another version.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or not {"kind", "version"} <= fields.keys():
        raise ValueError("this is no message")
    kind, version = fields.pop("kind"), fields.pop("version")
    if version != VERSION:
        raise ServerError(
            f"processes of two versions of pytest-membudget met (protocols {VERSION} and "
            f"{version}): it was upgraded while it ran, or the project's Python path leads to "
            "another one"
        )
    return kind, fields


class Codec:
    """Reads messages of the classes ``kinds``, and no others."""

    def __init__(self, kinds: Iterable[type[Any]]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}

    def decode(self, line: str | bytes) -> Any:
        """Raises ValueError for what is no message, and ServerError for another version's."""
        kind, fields = parse(line)
        if kind not in self._kinds:
            raise ValueError(f"there is no message of the kind {kind!r}")
        return convert(fields, self._kinds[kind])


def convert(value: Any, kind: type[M]) -> M:
    """Plain JSON as a value of the type ``kind``."""
    import msgspec

    return msgspec.convert(value, kind, str_keys=True)


def _plain(value: Any) -> Any:
    """What JSON has no form for: parts of a message, and values of the migration."""
    return _fields(value) if type(value).__module__.startswith(_PACKAGE) else str(value)


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__dataclass_fields__}
