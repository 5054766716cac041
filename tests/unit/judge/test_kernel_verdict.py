"""What the kernel does is reported beside the verdict, and can only make it worse."""

from __future__ import annotations

import pytest
from results import passing, result

from pytest_membudget.judge.confirmation import Confirmation
from pytest_membudget.judge.kernel_verdict import with_kernel_verdict
from pytest_membudget.judge.result import Result

ROWS = {"shop.Order": 50_000}


def test_what_the_kernel_kills_is_not_within() -> None:
    found = with_kernel_verdict(passing(), Confirmation(True, ROWS, "cgroup v2"))
    assert (found.verdict, found.basis) == ("exceeds", "measured")
    assert found.reason == (
        "shop.0003_stream would peak at 50 MiB; the limit is 512 MiB. But the kernel killed the "
        "migration in a memory control group of 512 MiB with 50,000 shop.Order rows."
    )
    assert Result.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("killed", [True, False, None])
@pytest.mark.parametrize("verdict", ["exceeds", "inconclusive"])
def test_no_other_verdict_changes(killed: bool | None, verdict: str) -> None:
    before = result(verdict=verdict)
    found = with_kernel_verdict(before, Confirmation(killed, ROWS, "cgroup v1", "why"))
    assert (found.verdict, found.reason) == (before.verdict, before.reason)


def test_the_finding_says_what_happened_or_why_nothing_did() -> None:
    lived = with_kernel_verdict(passing(), Confirmation(False, ROWS, "systemd-run"))
    unknown = with_kernel_verdict(passing(), Confirmation(note="no memory control group"))
    assert [(one.verdict, one.findings[-1].code) for one in (lived, unknown)] == [
        ("within", "kernel-verdict"),
        ("within", "not-confirmed"),
    ]
    assert lived.findings[-1].message.startswith("the kernel let the migration finish in a memory")
    assert unknown.findings[-1].message == "the kernel was not asked: no memory control group"
