"""Log the statements that a migration sends: their texts, how often, and how many rows they bring.

The log is kept in the measured process, so it does not parse SQL: it replaces what varies in a text
and counts.  The pytest process finds out what the statements access, see accesses.py.
"""

from __future__ import annotations

import os
import re
from typing import Any

from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.statements import ConnectionOpened, StatementCount
from pytest_membudget.processes.worker.statement_shapes import StatementShape, is_json
from pytest_membudget.sql.normalize import CUT, Form, textual

# Of a kilobyte each.  One that alters each of a hundred tables sends some hundred texts.
_MOST_TEXTS = 1_000
_MOST_SHAPES = 1_000
# A statement with more is a chunk of rows that the migration already knows, if by their keys.
_FEW_PARAMETERS = 20
# A UUID, as a text where the database has no type for it.
_KEY = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|\d+", re.IGNORECASE)
_CONTROL = ("SAVEPOINT ", "RELEASE ", "ROLLBACK", "BEGIN", "COMMIT")
_NO_FORM = Form(CUT, {}, {})
# The shapes by their texts, and those of texts as they were sent, by their hashes.
_Part = tuple[dict[str, StatementShape], dict[int, tuple[Form, StatementShape]]]


class StatementLog:
    """The statements of a process, and how many connections it has opened, by Django and in all.

    A child appends its own to the file ``overflow``.  Each is written at once, since a pool may
    kill its workers.
    """

    def __init__(self, overflow: str, *, child: bool = False) -> None:
        self.most_parameters = self.longest_statement = 0
        self.connected = self.opened = 0
        self.part = ("", "")
        self._parts: dict[tuple[str, str], _Part] = {}
        self._shapes, self._texts = self._parts.setdefault(self.part, ({}, {}))
        self._overflow = overflow
        self._child = child
        self._names = 0
        self.nothing = StatementCount("", None)
        os.register_at_fork(after_in_child=self._become_child)

    def begin(self) -> None:
        """Forget what was sent before the migration."""
        self._parts.clear()
        self.begin_part(self.part)
        self.most_parameters = self.longest_statement = 0

    def begin_part(self, part: tuple[str, str]) -> None:
        """What is sent from now on is of ``part``: a migration and a receiver, as of a Phase."""
        self.part = part
        self._shapes, self._texts = self._parts.setdefault(part, ({}, {}))

    def note_connection(self, *, by_django: bool) -> None:
        """Count a connection of Django's, or with false one that any code has tried to open."""
        self.connected += by_django
        self.opened += not by_django
        if self._child:
            self._tell(ConnectionOpened(by_django))

    def sent(self, query: Any, parameters: Any = (), vendor: str = "") -> StatementCount:
        """The entry of a statement that is about to be sent."""
        text = query if type(query) is str else textual(query)
        sent = self._texts.get(hash(text))
        if sent is None:
            if text.startswith(_CONTROL):
                return self.nothing
            sent = self._read(text, vendor)
        form, shape = sent
        many = len(parameters) if parameters else 0
        if many > self.most_parameters:
            self.most_parameters = many
        if many > _FEW_PARAMETERS and not _asks_for_texts(form, parameters):
            return shape.merge()
        entry = shape.entry(form, parameters)
        entry.times += 1
        if self._child:
            self._tell_count(entry, times=1)
        return entry

    def fetched(self, entry: StatementCount, rows: int, chunk: int = 0) -> None:
        """Add rows that were asked for; this is called for each fetch, so it has to be fast.

        ``chunk`` is how many were asked for at once, where the code said so.
        """
        entry.fetched += rows
        entry.looked = True
        if chunk > entry.chunk:
            entry.chunk = chunk
        if self._child:
            self._tell_count(entry, fetched=rows, chunk=chunk)

    def affected(self, entry: StatementCount, rows: int) -> None:
        """Add rows that were changed."""
        entry.affected += rows
        if self._child:
            self._tell_count(entry, affected=rows)

    def records(self) -> list[StatementCount]:
        found = []
        for part, (shapes, _) in self._parts.items():
            for entry in (one for shape in shapes.values() for one in shape.entries()):
                if entry.times or entry.looked or entry.affected:
                    entry.part = part
                    found.append(entry)
        return found

    def _read(self, text: str, vendor: str) -> tuple[Form, StatementShape]:
        form = Form.read(text, vendor)
        if form.text not in self._shapes and len(self._shapes) > _MOST_SHAPES:
            form = _NO_FORM
        sent = form, self._shapes.setdefault(form.text, StatementShape(form))
        if len(self._texts) < _MOST_TEXTS:
            self._texts[hash(text)] = sent
        return sent

    def _become_child(self) -> None:
        self._child = True
        for shapes, _ in self._parts.values():
            for entry in (one for shape in shapes.values() for one in shape.entries()):
                entry.name = ""

    def _tell_count(
        self,
        entry: StatementCount,
        *,
        times: int = 0,
        fetched: int | None = None,
        affected: int = 0,
        chunk: int = 0,
    ) -> None:
        looked = fetched is not None
        counted = StatementCount(
            "", None, times, fetched or 0, affected, looked, chunk, part=self.part
        )
        if not entry.name:
            self._names += 1
            entry.name = f"{os.getpid()}-{self._names}"
            counted.text, counted.values = entry.text, entry.values
        counted.name = entry.name
        self._tell(counted)

    def _tell(self, message: Any) -> None:
        with open(self._overflow, "a") as file:  # noqa: PTH123
            file.write(encode(message) + "\n")


def _asks_for_texts(form: Form, parameters: Any) -> bool:
    """Whether it has few columns, compared with lists of texts or of documents that are no keys."""
    if len(form.parameters) > _FEW_PARAMETERS:
        return False
    values = form.values(parameters).values()
    return all((isinstance(one, str) and not _KEY.fullmatch(one)) or is_json(one) for one in values)
