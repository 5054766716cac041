"""The scratch database that a process may connect to, and the record of what is refused."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from dataclasses import fields as _fields
from typing import Any, NoReturn

# The options of MySQL's drivers that Django lets win over ``USER`` and ``PASSWORD``.
_ACCOUNT = ("user", "passwd", "password")
# The name of the database where a process is loaded before it has one.
PENDING = "membudget_pending"
# Each thread has its own: what one administers is not open to code that runs in another.
_UNMARKED: ContextVar[frozenset[str]] = ContextVar("unmarked", default=frozenset())


class RefusedDatabase(RuntimeError):
    """A connection to a database that is no scratch database of this run."""


@dataclass
class Target:
    """The scratch database of one alias.

    ``name`` is the ``NAME`` of the scratch database, None while a process uses one after the other;
    ``mark`` is what the run has written into each of its PostgreSQL databases, ``folder`` holds its
    SQLite files.  ``file`` keeps all of this for child processes, with the refusals beside it.
    ``statements`` is the file that child processes log theirs to, see StatementLog.
    ``password`` is that of the user of a MariaDB server who is called like the mark, with whose
    rights all sessions are opened; empty where there is none.
    ``address`` is the engine, host, port and name that the project's settings have for the alias.
    ``embedded`` are Django's settings that lead to the PostgreSQL server that the run has started;
    empty where the server is the one that the project's settings name.
    ``used`` says that this process has tried to open a connection.
    """

    alias: str
    name: str | None
    mark: str
    folder: str
    file: str
    password: str = ""
    address: list[Any] | None = None
    statements: str = ""
    embedded: Mapping[str, str] = field(default_factory=dict)
    used: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.folder = os.path.realpath(self.folder)

    @classmethod
    def read(cls, file: str) -> Target:
        with open(file) as stream:
            return cls(**json.load(stream))

    def write(self) -> None:
        """Keep it for child processes."""
        fields = {one.name: getattr(self, one.name) for one in _fields(self) if one.init}
        with open(self.file, "w", opener=_private) as stream:
            json.dump(fields, stream)

    def become(self, other: Target) -> None:
        """Have the database and the files of another one of the same alias."""
        self.name, self.file, self.statements = other.name, other.file, other.statements

    @contextlib.contextmanager
    def allow_unmarked(self, *names: str) -> Iterator[None]:
        """Let connections of this thread to these databases pass: for the administration of scratch
        databases.
        """
        before = _UNMARKED.set(_UNMARKED.get() | set(names))
        try:
            yield
        finally:
            _UNMARKED.reset(before)

    def owns(self, database: str, mark: str | None) -> bool:
        """Whether a server's database with this name and mark belongs to this run."""
        return (bool(self.mark) and mark == self.mark) or database in _UNMARKED.get()

    def may_own(self, database: str) -> bool:
        """Whether a database of this name can belong to this run; its mark decides."""
        return bool(self.mark and database.startswith(self.mark)) or database in _UNMARKED.get()

    def lead_to_account(self, config: MutableMapping[str, Any]) -> None:
        """Have the settings of an alias open sessions of the run's user of a MariaDB server."""
        options = config.get("OPTIONS") or {}
        config["OPTIONS"] = {name: its for name, its in options.items() if name not in _ACCOUNT}
        config["USER"], config["PASSWORD"] = self.mark, self.password

    def may_be(self, user: str) -> bool:
        """Whether a session of this user of a MariaDB server can do harm to this run only."""
        return bool(self.password and user == self.mark) or "" in _UNMARKED.get()

    def holds(self, path: str) -> bool:
        """Whether a SQLite file is in the folder of this run."""
        return os.path.realpath(path).startswith(self.folder + os.sep)

    def refuse(self, what: str) -> NoReturn:
        """Record a refused connection and raise.  ``what`` names the database or program."""
        self.note_refusal(what)
        raise RefusedDatabase(
            f"membudget refuses {what}: while a migration is checked, only the scratch database of "
            f"the alias {self.alias!r} can be opened"
        )

    def note_refusal(self, what: str) -> None:
        """Record what was refused, whether the code that asked for it goes on or not."""
        with open(f"{self.file}.refused", "a", opener=_private) as stream:
            stream.write(json.dumps(what) + "\n")

    def refusals(self) -> list[str]:
        """What has been refused so far, each once, also in child processes."""
        try:
            with open(f"{self.file}.refused") as stream:
                return list(dict.fromkeys(json.loads(line) for line in stream))
        except FileNotFoundError:
            return []

    def forget_refusals(self) -> None:
        """Forget the refusals of the project's start-up, which happen without the migration too."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.file}.refused")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
