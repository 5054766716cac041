"""What a worker has left in its files: its reply, and the log of its child processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_membudget.processes.messages.child_log import (
    ConnectionOpened,
    StatementCounted,
    StatementSent,
)
from pytest_membudget.processes.messages.codec import Codec
from pytest_membudget.processes.messages.reply import StatementCount, WorkerReply

_replies = Codec([WorkerReply])
_logs = Codec([ConnectionOpened, StatementCounted, StatementSent])
_Logged = ConnectionOpened | StatementCounted | StatementSent


def read_reply(reply: Path, overflow: Path) -> WorkerReply | None:
    """The reply with what child processes have logged; None where the worker could not reply."""
    if not reply.exists():
        return None
    found: WorkerReply = _replies.decode(reply.read_bytes())
    return add_log(found, overflow.read_bytes().splitlines()) if overflow.exists() else found


def add_log(reply: WorkerReply, lines: list[bytes]) -> WorkerReply:
    """The reply with what the log of child processes says, see StatementLog."""
    statements: dict[str, StatementCount] = {}
    connected, opened = reply.facts.connected, reply.facts.opened
    for one in _messages(lines):
        if isinstance(one, ConnectionOpened):
            connected += one.by_django
            opened += not one.by_django
        elif isinstance(one, StatementSent):
            statements[one.name] = StatementCount(one.text, one.values)
        else:
            statements[one.name] = _added(statements[one.name], one)
    return replace(
        reply,
        statements=[*reply.statements, *statements.values()],
        facts=replace(reply.facts, connected=connected, opened=opened),
    )


def _messages(lines: list[bytes]) -> Iterator[_Logged]:
    for line in lines:
        try:
            yield _logs.decode(line)
        except ValueError:  # the child was killed while it wrote
            continue


def _added(statement: StatementCount, more: StatementCounted) -> StatementCount:
    return replace(
        statement,
        times=statement.times + more.times,
        fetched=statement.fetched + more.fetched,
        affected=statement.affected + more.affected,
        looked=statement.looked or more.looked,
    )
