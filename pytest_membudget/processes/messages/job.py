"""The job of a worker, which imports this module as it starts and is weighed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_membudget.processes.messages.codec import parse

Key = tuple[str, str]

STREAM, BATCHES, DEFER = "stream", "batches", "defer"


@dataclass(frozen=True)
class Rewrite:
    """A change that advice would make: ``kind`` at a line of the project, see probes/rewrites.py.

    ``kind`` is STREAM, BATCHES or DEFER; ``columns`` are those of ``model`` that DEFER leaves
    out.
    """

    kind: str
    file: str
    line: int
    columns: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True)
class Probes:
    """What a run records that is not a measurement, or the changes that it tries.

    ``folders`` are those of the migrations' apps, ``capture`` is the file that memray records to;
    ``observe`` asks for an Observed, ``collect`` to collect garbage before what is kept is counted.
    """

    folders: list[str]
    capture: str | None = None
    observe: bool = False
    collect: bool = False
    rewrites: list[Rewrite] = field(default_factory=list)


@dataclass(frozen=True)
class WorkerJob:
    """Run ``manage.py migrate`` for each of ``targets`` on the database of a Target.

    Without ``targets``, one call applies all ``migrations``, as in a deploy.  The reply says
    whether each of them is applied afterwards.  ``target`` is the file of the Target, ``reply`` the
    one to write the reply to.  ``beginning`` is a file that is there from when the first migration
    begins, with the names of Django's modules that are imported by then; ``unfinished_reply`` is
    one from when they are applied.  ``media`` is a folder that stands for MEDIA_ROOT, if any does.
    A worker that is a copy writes to the pipe ``output``, and ``ended`` is there with its status
    once it has ended.
    """

    targets: Sequence[Sequence[str]]
    migrations: list[Key]
    target: str
    reply: str
    probes: Probes | None = None
    media: str = ""
    output: str = ""

    @property
    def ended(self) -> str:
        return f"{self.reply}.ended"

    @property
    def beginning(self) -> str:
        return f"{self.reply}.begun"

    @property
    def unfinished_reply(self) -> str:
        return f"{self.reply}.part"


def read_job(line: str) -> WorkerJob:
    """The job of a line, without a library."""
    _, fields = parse(line)
    probes = fields.pop("probes")
    if probes is not None:
        rewrites = [Rewrite(**one) for one in probes.pop("rewrites")]
        probes = Probes(**probes, rewrites=rewrites)
    return WorkerJob(**fields, probes=probes)
