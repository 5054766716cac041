"""What crosses the border of a process arrives as it was sent, or is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.database.scratch.activity import Activity, Link, TableActivity
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.messages import orders, server
from pytest_membudget.processes.messages.codec import VERSION, Codec, encode
from pytest_membudget.processes.messages.job import DEFER, Probes, Rewrite, WorkerJob, read_job
from pytest_membudget.processes.messages.reply import WorkerReply
from pytest_membudget.processes.messages.statements import ConnectionOpened, StatementCount
from pytest_membudget.profile.production import ColumnStats
from pytest_membudget.sample import Facts, Phase
from pytest_membudget.sample.observed import BulkCall, LoadedRows, Observed, ResultSize

KEY = ("shop", "0001_initial")
# What JSON has no form for, or what libraries refuse.
AWKWARD = ["é", "\ud800", 2**80, -1.5, None, True]

BOTH: list[tuple[orders.Order[Any], Any]] = [
    (
        server.Start("default", {"HOST": "/run"}),
        server.Greeting("/tmp/run", "mark", "password", "sqlite", "3.45", ["secret"]),
    ),
    (
        orders.Prepare([KEY], ["shop.Order"]),
        orders.Prepared("a", {"shop.Order": "o"}, {"o": [["id"], []]}),
    ),
    (orders.Weigh([KEY], [KEY, KEY]), orders.MigrationWeight(grown=1, risen=2, models=3)),
    (orders.Weigh([], []), None),
    (
        orders.ListTables([KEY]),
        orders.StateTables(
            {"o": orders.TableModel("shop.Order", ["c"], [["id"]], through=False)}, ["view"]
        ),
    ),
    (orders.Count("a", ["o", 'app"."thing']), {"o": 5, 'app"."thing': 0}),
    (
        orders.Seed(
            "a", [KEY], {"shop.Order": 5}, 9, {"o": {"status": AWKWARD, "note": []}}, most=7
        ),
        orders.Seeded(
            {"shop.Order": 5},
            0.5,
            4096,
            None,
            {"shop.Order": "o"},
            profile_mismatches={"shop.Order": ["note"]},
            forced_values={"o": {}},
        ),
    ),
    (
        orders.Seed("a", [], {}, 0, seed="seeds.seed", profile={"o": {"id": ColumnStats(8.0)}}),
        orders.Seeded(
            {},
            0.0,
            0,
            4096,
            widths={"shop.Order": {"note": 8}},
            forced_values={"o": {"status": AWKWARD}},
        ),
    ),
    (orders.Clone("a"), "b"),
    (
        orders.ReadActivity("b"),
        Activity(
            sessions=2,
            tables=[TableActivity(("public", "o"), read=3, written=4)],
            links=[Link("view", ("public", "v"), ("public", "o"))],
            triggered=[("public", "o")],
            functions=["f"],
        ),
    ),
    (orders.ReadActivity("b"), None),
    (orders.Fingerprint("b"), {"o": {"id": "17"}}),
    (orders.ListRefusals(), ["the database 'production'"]),
    (orders.Drop("b"), None),
]


@pytest.mark.parametrize(("order", "answer"), BOTH, ids=lambda one: type(one).__name__)
def test_an_order_and_its_answer_arrive_as_they_were_sent(
    order: orders.Order[Any], answer: Any
) -> None:
    assert server.ORDERS.decode(encode(order)) == order
    done = server.ANSWERS.decode(encode(server.Done(answer, ["a", "b"])))
    assert done.names == ["a", "b"]
    assert server.answer_of(done, order) == answer


@pytest.mark.parametrize(
    "answer",
    [server.Progress("shop.0001 (1 of 2)"), server.Failed("no", "", False, ["a"]), server.Left([])],
)
def test_the_other_answers_arrive_as_they_were_sent(answer: Any) -> None:
    assert server.ANSWERS.decode(encode(answer)) == answer


def test_a_job_is_read_without_a_library() -> None:
    rewrite = Rewrite(DEFER, "/app/0002.py", 7, ("note",))
    probes = Probes(["/app"], capture="/tmp/capture", observe=True, rewrites=[rewrite])
    job = WorkerJob([KEY], [KEY], "target", "reply", probes)
    read = read_job(encode(job))
    assert (read.target, read.reply) == ("target", "reply")
    assert [tuple(one) for one in (*read.targets, *read.migrations)] == [KEY, KEY]
    assert read.probes is not None
    (again,) = read.probes.rewrites
    assert replace(again, columns=tuple(again.columns)) == rewrite
    assert replace(read.probes, rewrites=[rewrite]) == probes
    assert read_job(encode(replace(job, probes=None))).probes is None


REPLY = WorkerReply(
    peak=5,
    anonymous=None,
    baseline=3,
    duration=0.25,
    failure=None,
    details="",
    vendor="postgresql",
    applied=[True, False],
    phases=[(Phase("shop.0001", "SELECT"), 3, 5)],
    not_run=[("shop.0001", "RunSQL", "was skipped")],
    statements=[StatementCount("SELECT %s", dict(enumerate(AWKWARD)), times=2, fetched=9)],
    facts=Facts(
        debug=False,
        pooled=True,
        server_side_cursors_disabled=False,
        schemas=("public",),
        most_parameters=4,
        connected=1,
        opened=2,
    ),
    observed=Observed(
        [LoadedRows("a.py", 1, "shop.Order", ["id"], 5)],
        [BulkCall("a.py", 2, 5, None)],
        [BulkCall("a.py", 3, 5, 100)],
        [ResultSize("a.py", 3, 5, 4096)],
        {"shop.Order": ["id"]},
        17,
    ),
)


@pytest.mark.parametrize(
    "message",
    [
        REPLY,
        replace(REPLY, failure="ValueError: no", facts=Facts(), observed=None),
        StatementCount("SELECT %s", None, 1, 2, 3, looked=True, name="1-1"),
        ConnectionOpened(by_django=True),
    ],
)
def test_what_a_worker_writes_without_a_library_arrives(message: Any) -> None:
    assert Codec([type(message)]).decode(encode(message)) == message


def test_values_that_json_has_no_form_for_are_texts() -> None:
    class Value:
        def __repr__(self) -> str:
            return "a value of the migration"

    sent = StatementCount("SELECT", {0: Value(), 1: b"x", 2: math.nan})
    values = Codec([StatementCount]).decode(encode(sent)).values
    assert (values[0], values[1]) == ("a value of the migration", "b'x'")
    assert math.isnan(values[2])


@pytest.mark.parametrize(
    "line",
    [
        '{"version": 1, "kind": "__init__", "name": "a"}',
        '{"version": 1, "kind": "Done", "answer": null, "names": []}',
        '{"version": 1, "kind": "Clone", "na',
        '{"name": "a"}',
        "1",
    ],
)
def test_what_is_no_order_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no message|not a message|Unterminated"):
        server.ORDERS.decode(line)


def test_another_version_is_refused_by_each_process() -> None:
    later = json.dumps({**json.loads(encode(orders.Clone("a"))), "version": VERSION + 1})
    for read in (server.ORDERS.decode, read_job):
        with pytest.raises(ServerError, match="two processes use different versions of"):
            read(later)


@pytest.mark.parametrize("module", ["main", "template"])
def test_the_worker_starts_without_the_library(module: str) -> None:
    code = (
        f"import sys, pytest_membudget.processes.worker.{module}; "
        "weighed = {'msgspec', 'pytest_membudget.processes.messages.reply'}; "
        "sys.exit(bool(weighed & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
