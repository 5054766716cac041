"""What of a result's findings a report says beside the reason."""

from __future__ import annotations

from textwrap import shorten

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.result import Result

_LONGEST = 600
_NOTED_ALWAYS = {
    FindingCode.ACCESS_REFUSED,
    FindingCode.ACCESS_REFUSED_BEFORE,
    FindingCode.ASYNC_CODE,
    FindingCode.CODE_LEFT_OUT,
    FindingCode.CODE_NOT_RUN,
    FindingCode.MODIFIED_LEFT_OUT,
    FindingCode.ROUTED_ELSEWHERE,
    FindingCode.BROKE_AT_SCALE,
    FindingCode.RECEIVER_ROWS,
    FindingCode.ROWS_UNTOUCHED,
    FindingCode.DEBUG_ON,
    FindingCode.TIME_SUPERLINEAR,
    FindingCode.PEAK_SET_BY,
    FindingCode.BREAKS_IN,
    FindingCode.KERNEL_VERDICT,
    FindingCode.NOT_CONFIRMED,
}
_NOTED_OF_SLOW = {FindingCode.MEASURED_HERE, FindingCode.STATEMENTS_PER_ROW}


def noted(result: Result, *, everything: bool) -> list[str]:
    """The findings that a reader has to know, or all of them, but for what the reason says.

    One that lists many migrations is cut; the JSON has all of it.  That a failure is accepted is
    said first.
    """
    accepted = [str(result.accepted)] if result.accepted else []
    slow = result.max_duration_s is not None and not result.ok
    return accepted + [
        short(finding.message)
        for finding in result.findings
        if everything or finding.code in _NOTED_ALWAYS or (slow and finding.code in _NOTED_OF_SLOW)
        if finding.message.removeprefix("the migration ") not in result.reason
    ]


def short(text: str) -> str:
    """A text that lists many names, cut."""
    return shorten(text, _LONGEST, placeholder=" …")
