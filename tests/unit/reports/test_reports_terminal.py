"""The text of a failure and the table of all budgets, as a terminal shows them."""

from __future__ import annotations

import pytest
from results import FILE, LIMITED, MIB, SOURCE, explained, figures, passing, result

from pytest_membudget.reports.chart import chart
from pytest_membudget.reports.curve import curve, rows_step, short_rows, size_axis
from pytest_membudget.reports.failure import failure
from pytest_membudget.reports.markdown import markdown
from pytest_membudget.reports.terminal import notes, summary


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_report_is_no_wider_than_the_terminal(width: int) -> None:
    for verbosity in (0, 1):
        first, *rest = failure(explained(), width=width, verbosity=verbosity).splitlines()
        assert first == explained().reason
        assert max(map(len, rest)) <= width
    long = result(migration="shop.0002_a_name_that_leaves_no_room_for_all_of_the_columns")
    lines = summary([long, passing()], width, color=False)
    assert max(map(len, lines)) <= width
    assert long.migration in "".join(line.split()[0] for line in lines[2:])


def test_the_summary_shows_what_there_is_room_for() -> None:
    wide = summary([result()], 120, color=False)
    assert "-512 MiB" in wide[2]
    assert "765,000" in wide[2]
    narrow = summary([result()], 50, color=False)
    assert narrow[0].split() == ["migration", "peak", "limit", "verdict"]


def test_the_duration_and_the_memory_of_the_server_are_shown_where_they_have_limits() -> None:
    wide = summary([result(**LIMITED), passing()], 160, color=False)
    assert "57 min (38–83)" in wide[2]
    assert "700 MiB (680–720)" in wide[2]
    narrow = summary([result(**LIMITED)], 80, color=False)
    assert narrow[0].split() == ["migration", "peak", "limit", "time", "server", "verdict"]
    assert "57 min" in narrow[2]
    assert "(" not in narrow[2].replace("(680", "")
    without = summary([result()], 160, color=False)[0].split()
    assert not {"time", "server"}.intersection(without)


def test_the_samples_have_the_memory_of_the_server_where_it_was_seen() -> None:
    seen = [{**one, "server_peak_bytes": 12 * MIB} for one in figures()["samples"]]
    assert "12 MiB" in failure(result(samples=seen, **LIMITED), width=100, verbosity=1)
    assert "57 min (38–83)" in failure(result(**LIMITED), width=100, verbosity=1)
    assert "server" not in failure(result(), width=100, verbosity=1)


def test_what_is_slow_is_told_where_it_fails_by_that() -> None:
    slow = [{"code": "statements-per-row", "message": "it sends 2 statements for each row"}]
    assert "note: it sends 2" in failure(result(findings=slow, **LIMITED))
    assert "it sends 2" not in failure(result(findings=slow))


def test_two_kinds_of_database_are_told_apart() -> None:
    both = [result(), result(database={"alias": "default", "vendor": "sqlite", "version": "3"})]
    assert "database" in summary(both, 120, color=False)[0]
    assert "database" not in summary(both[:1], 120, color=False)[0]


def test_verbosity_adds_samples_frames_and_findings() -> None:
    brief, full = (failure(explained(), width=100, verbosity=number) for number in (0, 1))
    always = (f"{FILE}:9", SOURCE, "write in batches.\n", "saves 500 bytes a row", "tried: ")
    for text in (*always, "<allocator>", "7% of the"):
        assert text in brief
        assert text in full
    for text in ("26,563", "query.py:913 bulk_update: When(pk=obj.pk)", "62 bytes a row"):
        assert text not in brief
        assert text in full


def test_a_finding_that_the_reason_tells_is_not_noted_again() -> None:
    findings = [{"code": "rows-unnamed", "message": "the migration accesses shop.Line"}]
    unclear = {"verdict": "inconclusive", "findings": findings}
    assert "note:" not in failure(result(reason="shop.0002 accesses shop.Line.", **unclear))
    assert "note: the migration accesses shop.Line" in failure(result(**unclear))


def test_a_failure_names_the_file_of_the_limit() -> None:
    place = "deploy/job.yaml:14, container Job/migrate/app"
    of_file = result(limit_source=f"{place}, set by the ini file")
    assert f"note: the limit is that of {place}" in failure(of_file, width=100)
    assert "the limit is that of deploy" in markdown([of_file]).replace("\\", "")
    assert "the limit is that of" not in failure(result())


def test_a_note_that_lists_many_migrations_is_cut() -> None:
    each = ", ".join(f"shop.{number:04}_add 60 MiB" for number in range(173))
    deploy = {"findings": [{"code": "peak-set-by", "message": f"each would peak at: {each}"}]}
    (note,) = notes([passing(**deploy)])
    assert len(note) < 700
    assert note.endswith(" …")


def test_one_line_is_one_row_unless_its_frames_are_shown() -> None:
    assert "550 B/row  85%" in failure(explained(), width=100)
    assert "400 B/row  60%" in failure(explained(), width=100, verbosity=1)
    assert "growth by line" not in failure(result())


def test_details_of_an_error_come_last() -> None:
    unknown = {"peak_bytes": None, "peak_low_bytes": None}
    error = result(verdict="error", samples=[], details="Traceback\nValueError\n", **unknown)
    assert failure(error).splitlines()[1:] == ["", "Traceback", "ValueError"]


@pytest.mark.parametrize("width", [50, 60, 72])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_chart_shows_samples_projection_and_limit(width: int, unicode: bool) -> None:
    lines = chart(result(), width, unicode=unicode)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert 8 <= len(lines) <= 15
    assert text.isascii() is not unicode
    assert "limit 512 MiB" in text
    assert "x projection and its interval at 1,700,000 rows" in text
    (top,) = (number for number, line in enumerate(lines) if line.endswith("x"))
    assert lines[top].split("|")[0].strip() == "1 GiB"


def test_the_chart_shows_how_far_the_interval_reaches() -> None:
    lines = chart(result(peak_low_bytes=500 * MIB, peak_high_bytes=1500 * MIB), 72)
    ends = [line[-1] for line in lines if line.split("|")[0].strip() in ("1.5 GiB", "768 MiB")]
    assert ends == ["|", "|"]


def test_a_sample_that_was_stopped_is_marked() -> None:
    samples = figures()["samples"]
    samples[-1] = {**samples[-1], "outcome": "over the limit"}
    lines = chart(result(samples=samples, peak_low_bytes=None), 72)
    assert lines[-1] == "o sample   * over the limit"
    assert sum("*" in line for line in lines) == 2


def test_there_is_no_chart_without_room_or_points_and_no_projection_of_what_was_measured() -> None:
    assert chart(result(), 40) == []
    assert chart(result(samples=[]), 80) == []
    assert chart(result(samples=figures()["samples"][:1], peak_low_bytes=None), 80) == []
    assert chart(result(peak_low_bytes=None, peak_high_bytes=None), 72)[-1] == "o sample"


@pytest.mark.parametrize("growth", ["linear", "linearithmic", "quadratic"])
def test_the_curve_leads_from_the_last_sample_to_the_projection(growth: str) -> None:
    known = curve(result(growth=growth))
    assert known is not None
    assert known.projection[0] == (53_125, 82 * MIB)
    assert known.projection[-1] == pytest.approx((1_700_000, 1024 * MIB))
    middle = known.projection[len(known.projection) // 2][1]
    assert (middle < 553 * MIB - 1) is (growth != "linear")
    assert known.low[-1][1] == 1000 * MIB


def test_the_curve_starts_at_the_last_sample_that_finished() -> None:
    samples = figures()["samples"]
    samples[-1] = {**samples[-1], "outcome": "timed out"}
    known = curve(result(samples=samples))
    assert known is not None
    assert known.projection[0] == (26_563, 66 * MIB)


def test_ticks_are_round() -> None:
    assert size_axis(3.2 * 1024 * MIB, 9) == (512 * MIB, 7)
    assert rows_step(1_700_000, 5.7) == 300_000
    assert rows_step(100, 10) == 10
    shown = {0: "0", 800: "800", 12_000: "12k", 1_200_000: "1.2M", 3e9: "3G"}
    assert {rows: short_rows(rows) for rows in shown} == shown
