"""Statements are told apart by what they ask for, and put together where they are one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

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
    log.fetched(log.sent(sql, parameters), rows)


def accesses(log: StatementLog) -> Accesses:
    found = Accesses(TableNames(TABLES, "postgresql", ()), "postgresql")
    for record in log.records():
        found.add(record)
    return found


def unmatched(log: StatementLog) -> dict[str, int]:
    return {one.text: one.times for one in accesses(log).unmatched()}


Sent = tuple[str, list[Any], int]
TEXTS = [("new", 10), ("legacy", 0)]
BY_KEY = f'{STATUS} AND "o"."id" > %s LIMIT'
PAGE = f'{ORDERS}"o"."id" > 0 LIMIT 1000 OFFSET'
# Statements with their parameters and rows, the values that filters have, and what found no row.
LOGS: dict[str, tuple[list[Sent], dict[str, list[Any]], dict[str, int]]] = {
    "values are apart": (
        [(STATUS, ["new"], 10), (STATUS, ["legacy"], 0)],
        {"status": ["new", "legacy"]},
        {'FROM "o" WHERE "o"."status" = %s': 1},
    ),
    "texts in a statement are apart": (
        [(f"SELECT id FROM o WHERE status = '{text}'", [], rows) for text, rows in TEXTS],
        {"status": ["new", "legacy"]},
        {"FROM o WHERE status = %s": 1},
    ),
    "statements for each row are one": (
        [(STATUS, [f"status {number}"], number == 30) for number in range(50)],
        {},
        {},
    ),
    "pages are one": ([(f"{PAGE} 0", [], 1000), (f"{PAGE} 1000", [], 0)], {"id": [1]}, {}),
    # However many there are, the last of them finds nothing and means nothing.
    "pages by key ask for the value that stays": (
        [
            *((f"{BY_KEY} 10", ["new", page], 10 * (page < 29)) for page in range(30)),
            (f"{BY_KEY} 1000", ["legacy", 0], 0),
        ],
        {"status": ["new", "legacy"]},
        {'FROM "o" WHERE "o"."status" = %s AND "o"."id" > %s LIMIT %s': 1},
    ),
    "a short last chunk is one of the chunks": (
        [(IDS, [*range(30)], 60), (f'{ORDERS}"o"."kind_id" IN (%s, %s)', [31, 32], 0)],
        {},
        {},
    ),
    "a key may be missing": ([(f'{ORDERS}"o"."id" = %s', [1], 0)], {"id": [1]}, {}),
    "keys may be": ([(f'{ORDERS}"o"."id" IN (%s, %s)', [1, 2], 0)], {"id": [1]}, {}),
    "unique values may be": (
        [(f'{ORDERS}"o"."year" = %s AND "o"."number" = %s', [1, 2], 0)],
        {"year": [1], "number": [2]},
        {},
    ),
}


@pytest.mark.parametrize(("sent", "filters", "unfound"), LOGS.values(), ids=LOGS)
def test_what_a_log_tells(
    log: StatementLog, sent: list[Sent], filters: dict[str, list[Any]], unfound: dict[str, int]
) -> None:
    for sql, parameters, rows in sent:
        send(log, sql, *parameters, rows=rows)
    assert accesses(log).filters == {"o": filters}
    assert unmatched(log) == unfound


def test_documents_and_short_lists_are_kept(log: StatementLog) -> None:
    """Also where the driver has an object of its own for each time that one is sent."""
    for _ in range(20):
        send(log, f"{ORDERS}d @> %s AND d #> %s = %s", Jsonb({"a": 1}), ["b", "c"], Jsonb("x"))
        send(log, f"{ORDERS}n = ANY(%s)", [7, 8])
    assert accesses(log).filters == {"o": {"d": [{"a": 1, "b": {"c": "x"}}], "n": [7, 8]}}
    assert [record.times for record in log.records()] == [20, 20]


def test_long_lists_and_documents_are_not(log: StatementLog) -> None:
    for number in range(20):
        send(log, "UPDATE o SET d = %s", Jsonb({"a": [number] * 1000}))
        send(log, f"{ORDERS}n = ANY(%s)", [number] * 1000)
    assert [record.values for record in log.records()] == [{}, {}]


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
    assert len(log.records()) < 1_100
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
        log.fetched(log.sent(STATUS, ["legacy"]), 7)
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


NAMES = "SELECT T3.\"2 of 'x'\", `5`, a1 FROM t1 WHERE b ?| %s"
MARKS = "SELECT ?2 FROM t WHERE a = :name AND b = ? AND c = '?'"


@pytest.mark.parametrize(
    ("vendor", "sql", "text"),
    [
        ("postgresql", NAMES, NAMES),
        ("sqlite", MARKS, "SELECT %s FROM t WHERE a = %s AND b = %s AND c = '%s'"),
    ],
    ids=["names are no literals", "marks of SQLite"],
)
def test_the_form_of_a_statement(vendor: str, sql: str, text: str) -> None:
    assert Form.read(sql, vendor).text == text


def test_each_statement_is_of_the_part_that_it_was_sent_in(log: StatementLog) -> None:
    receiver = ("", "core.apps.register")
    for part in (("", ""), receiver, ("", "")):
        log.begin_part(part)
        log.sent("SELECT 1 FROM a")
    assert {one.part: one.times for one in log.records()} == {("", ""): 2, receiver: 1}


@pytest.mark.parametrize("make", [str, Jsonb])
def test_a_long_list_of_texts_is_no_chunk_of_rows(log: StatementLog, make: Any) -> None:
    """Keys are, and so is what has as many columns."""
    marks = ", ".join(["%s"] * 90)
    texts = [make(f"status {n}") for n in range(90)]
    send(log, f'{ORDERS}("o"."d" -> %s) IN ({marks})', "status", *texts)
    found = accesses(log)
    assert found.filters == {"o": {"d": [{"status": "status 0"}]}}
    assert len(found.unmatched()) == 1


def test_a_long_list_of_keys_is_a_chunk_of_rows(log: StatementLog) -> None:
    keys = [str(UUID(int=n)) for n in range(90)]
    send(log, f"{ORDERS}n IN ({', '.join(['%s'] * 90)})", *keys)
    send(log, f"{ORDERS}{' AND '.join(f'c{n} = %s' for n in range(90))}", *["text"] * 90)
    assert [record.values for record in log.records()] == [None, None]
    assert accesses(log).unmatched() == ()
