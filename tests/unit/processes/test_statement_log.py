"""Statements are told apart by what they ask for, and put together where they are one."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.reply import WorkerReply
from pytest_membudget.processes.worker.accesses import Accesses
from pytest_membudget.processes.worker.outcome import read_reply
from pytest_membudget.processes.worker.statement_log import StatementLog
from pytest_membudget.sample import Facts
from pytest_membudget.sql.normalize import Form
from pytest_membudget.sql.table_names import TableNames

ORDERS = 'SELECT "o"."id" FROM "o" WHERE '
STATUS = f'{ORDERS}"o"."status" = %s'
IDS = f'{ORDERS}"o"."kind_id" IN ({", ".join(["%s"] * 30)})'
TABLES = {"o": [["id"], ["year", "number"]]}


@pytest.fixture
def log(tmp_path: Path) -> StatementLog:
    return StatementLog(str(tmp_path / "overflow"))


def send(log: StatementLog, sql: str, *parameters: Any, rows: int = 0) -> None:
    log.count(log.sent(sql, parameters), fetched=rows)


def accesses(log: StatementLog) -> Accesses:
    found = Accesses(TableNames(TABLES, "postgresql", ()), "postgresql")
    for record in log.records():
        found.add(record)
    return found


def unmatched(log: StatementLog) -> dict[str, int]:
    return {one.text: one.times for one in accesses(log).unmatched()}


def test_values_are_apart(log: StatementLog) -> None:
    send(log, STATUS, "new", rows=10)
    send(log, STATUS, "legacy")
    assert accesses(log).filters == {"o": {"status": ["new", "legacy"]}}
    assert unmatched(log) == {'FROM "o" WHERE "o"."status" = %s': 1}


def test_texts_in_a_statement_are_apart(log: StatementLog) -> None:
    send(log, "SELECT id FROM o WHERE status = 'new'", rows=10)
    send(log, "SELECT id FROM o WHERE status = 'legacy'")
    assert accesses(log).filters == {"o": {"status": ["new", "legacy"]}}
    assert unmatched(log) == {"FROM o WHERE status = %s": 1}


def test_statements_for_each_row_are_one(log: StatementLog) -> None:
    for number in range(50):
        send(log, STATUS, f"status {number}", rows=number == 30)
    assert accesses(log).filters == {"o": {}}
    assert unmatched(log) == {}


def test_pages_are_one(log: StatementLog) -> None:
    send(log, f'{ORDERS}"o"."id" > 0 LIMIT 1000 OFFSET 0', rows=1000)
    send(log, f'{ORDERS}"o"."id" > 0 LIMIT 1000 OFFSET 1000')
    assert unmatched(log) == {}


def test_pages_by_key_ask_for_the_value_that_stays(log: StatementLog) -> None:
    """However many there are, the last of them finds nothing and means nothing."""
    for page in range(30):
        send(log, f'{STATUS} AND "o"."id" > %s LIMIT 10', "new", page, rows=10 * (page < 29))
    send(log, f'{STATUS} AND "o"."id" > %s LIMIT 1000', "legacy", 0)
    assert accesses(log).filters == {"o": {"status": ["new", "legacy"], "id": []}}
    assert list(unmatched(log).values()) == [1]


def test_a_short_last_chunk_is_one_of_the_chunks(log: StatementLog) -> None:
    send(log, IDS, *range(30), rows=60)
    send(log, f'{ORDERS}"o"."kind_id" IN (%s, %s)', 31, 32)
    assert unmatched(log) == {}


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ('"o"."id" = %s', [1]),
        ('"o"."id" IN (%s, %s)', [1, 2]),
        ('"o"."year" = %s AND "o"."number" = %s', [1, 2]),
    ],
)
def test_single_rows_may_be_missing(
    log: StatementLog, condition: str, parameters: list[int]
) -> None:
    send(log, ORDERS + condition, *parameters)
    assert unmatched(log) == {}


def test_savepoints_crowd_nothing_out(log: StatementLog) -> None:
    for number in range(2000):
        log.sent(f'SAVEPOINT "s1_x{number}"')
    send(log, STATUS, "legacy")
    assert len(unmatched(log)) == 1


def test_what_is_kept_is_bounded(log: StatementLog) -> None:
    """The values of what is written are the migration's to free; too many texts are one."""
    large = "x" * 10_000
    for number in range(2000):
        send(log, f"INSERT INTO t{'x' * number} (a) VALUES (%s)", large + str(number))
    send(log, "UPDATE o SET note = %s WHERE id = %s", large, 1)
    kept = repr(log.records())
    assert "xxxx" in kept
    assert large not in kept
    assert len(log.records()) < 400
    for number in range(400):
        send(log, f"SELECT a{number} FROM o", rows=1)
    assert list(accesses(log).unattributed) == ["…"]


def reply(log: StatementLog) -> WorkerReply:
    """What a worker replies that only sent the statements of ``log``."""
    return WorkerReply(
        peak=1,
        anonymous=1,
        baseline=1,
        duration=1.0,
        failure=None,
        details="",
        vendor="postgresql",
        applied=[],
        phases=[],
        not_run=[],
        statements=log.records(),
        facts=Facts(connected=log.connected, opened=log.opened),
    )


def test_children_tell_what_they_send(log: StatementLog, tmp_path: Path) -> None:
    send(log, STATUS, "new", rows=10)
    child = os.fork()
    if not child:
        send(log, STATUS, "new", rows=5)
        log.count(log.sent(STATUS, ["legacy"]), fetched=7)
        log.note_connection(by_django=True)
        os._exit(0)
    os.waitpid(child, 0)
    (tmp_path / "reply").write_text(encode(reply(log)))
    read = read_reply(tmp_path / "reply", tmp_path / "overflow")
    assert read is not None
    assert sorted(one.fetched for one in read.statements) == [5, 7, 10]
    assert (read.facts.connected, read.facts.opened) == (1, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WHERE n IN (%s, %s, %s)", "WHERE n IN (%s)"),
        ("LIMIT 1000 OFFSET 2000", "LIMIT 1000 OFFSET 3000"),
        ("WHERE n = 'one' AND m = 5", "WHERE n = 'it''s' AND m = 6.5e3"),
        ("VALUES (%s, 1), (%s, 1), (%s, 1)", "VALUES (%s, 1), (%s, 1)" + ", (%s, 1)" * 50),
        ("a /* 'x */ = %s -- it's", "a   = %(name)s"),
        ("a = $$it's$$", "a = $x$ $$ $x$"),
        ("a = E'it\\'s'", "a = ''"),
        ("a = 1 OR " * 5 + "b", "a = 2 OR " * 70 + "b"),
    ],
)
def test_statements_of_one_form(one: str, other: str) -> None:
    def form(sql: str) -> str:
        return " ".join(Form.read(f"SELECT {sql}", "postgresql").text.split())

    assert form(one) == form(other)


def test_names_are_no_literals() -> None:
    form = Form.read("SELECT T3.\"2 of 'x'\", `5`, a1 FROM t1 WHERE b ?| %s", "postgresql")
    assert form.text == "SELECT T3.\"2 of 'x'\", `5`, a1 FROM t1 WHERE b ?| %s"


def test_marks_of_sqlite() -> None:
    form = Form.read("SELECT ?2 FROM t WHERE a = :name AND b = ? AND c = '?'", "sqlite")
    assert form.text == "SELECT %s FROM t WHERE a = %s AND b = %s AND c = '%s'"
    assert sqlite3.paramstyle == "qmark"
