"""``--membudget-confirm``: the migration once more, with the kernel as the judge."""

from __future__ import annotations

from dataclasses import replace

from pytest_membudget.check.sampler import Sampler
from pytest_membudget.database.engine import engine_of
from pytest_membudget.errors import ServerError
from pytest_membudget.judge import pace
from pytest_membudget.judge.confirmation import Confirmation
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.processes.worker.control_group import (
    ControlGroup,
    NoControlGroup,
    control_group,
)
from pytest_membudget.processes.worker.outcome import is_in_memory
from pytest_membudget.sample import Outcome
from pytest_membudget.units import MOST

_TIMES, _MORE_SECONDS = 3.0, 10.0


def seconds_to_confirm(evidence: Evidence, left: float) -> float:
    """For one more sample: those that are ``left``, or what the largest one needs."""
    last = evidence.samples[-1]
    took = last.run.startup + last.run.duration + last.seed_seconds
    return max(left, _TIMES * took + _MORE_SECONDS)


def confirm(sampler: Sampler, seconds: float) -> Confirmation:
    """One run in a group of the limit's size, of production's rows if there is time for them."""
    size = _size(sampler.evidence, seconds)
    try:
        with control_group(sampler.plan.budget.limit) as group:
            return _run(sampler, size, group, seconds)
    except NoControlGroup as error:
        return Confirmation(note=str(error))
    except ServerError as error:
        return Confirmation(note=f"there was no run in a memory control group: {error}")


def _run(sampler: Sampler, size: int, group: ControlGroup, seconds: float) -> Confirmation:
    seeded = sampler.seeded
    seeded.fill(size)
    with seeded.cloned() as name:
        job = sampler.plan.job(seeded, name, deadline=seconds, stop_above=MOST)
        run = seeded.run(replace(job, group=group))
    found = Confirmation(rows=seeded.rows(size), group=group.kind)
    killed = run.outcome == Outcome.KILLED if group.kills is None else bool(group.kills)
    embedded = engine_of(sampler.evidence.database.vendor or "").embedded
    if killed and embedded and is_in_memory(seeded.folder):
        note = "the pages of the scratch database are memory, since its folder is on a tmpfs"
        return replace(found, note=note)
    if killed or run.outcome == Outcome.FINISHED:
        return replace(found, killed=killed)
    return replace(found, note=f"the run in a memory control group ended otherwise: {run.failure}")


def _size(evidence: Evidence, seconds: float) -> int:
    """Production's row count, or so much of it that there is time for: the last sample's at least.

    One that passed the limit has rows enough.
    """
    last, size = evidence.samples[-1], evidence.ladder.rows
    if not last.finished:
        return last.size
    while size > last.size and pace.seconds(evidence.finished, size) > seconds:
        size = evidence.ladder.half(size)
    return max(size, last.size)
