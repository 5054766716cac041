"""Messages from and to lines by msgspec: in the pytest and the database server process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from pytest_membudget.processes.messages import json_lines

M = TypeVar("M")


class Codec:
    """Reads messages of the classes ``kinds``, and no others."""

    def __init__(self, kinds: Iterable[type[Any]]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}

    def decode(self, line: str | bytes) -> Any:
        """Raises ValueError for what is no message, and ServerError for another version's."""
        kind, fields = json_lines.decode(line)
        if kind not in self._kinds:
            raise ValueError(f"there is no message of the kind {kind!r}")
        return convert(fields, self._kinds[kind])


def encode(message: Any) -> str:
    """A message of any class as a line, without its end."""
    return json_lines.encode(message, msgspec.to_builtins(message, str_keys=True))


def convert(value: Any, kind: type[M]) -> M:
    """Plain JSON as a value of the type ``kind``."""
    return msgspec.convert(value, kind, str_keys=True)
