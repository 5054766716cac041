"""The kernel's own verdict beside that of the samples."""

from __future__ import annotations

from dataclasses import replace

from pytest_membudget.judge.confirmation import Confirmation
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Basis, Verdict


def with_kernel_verdict(result: Result, confirmation: Confirmation) -> Result:
    """The result with the finding.  What the kernel kills under its limit is not within it.

    That it lets fewer rows than production's finish proves nothing, so no verdict gets better.
    """
    findings = (*result.findings, confirmation.finding(result.limit_bytes))
    result = replace(result, confirmation=confirmation, findings=findings)
    if not confirmation.killed or result.verdict != Verdict.WITHIN:
        return result
    return replace(
        result,
        verdict=Verdict.EXCEEDS,
        basis=Basis.MEASURED,
        reason=f"{result.reason} But the kernel {confirmation.sentence(result.limit_bytes)}.",
    )
