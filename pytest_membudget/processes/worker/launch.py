"""One run of a worker: what it has to do, on which database, and when to stop it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.processes.messages.job import Key, Probes


@dataclass(frozen=True)
class Launch:
    """One run of a worker on the scratch database ``name`` of the alias.

    ``tables`` are the models' tables, each with the sets of columns of which values find a single
    row; ``targets`` are the arguments of ``manage.py migrate``; ``migrations`` are the keys that it
    has to leave applied (unapplied, when ``reverse``).  ``folder`` holds the run's files, ``mark``
    is in each of its databases, see Target.  ``stop_above`` is the RSS in bytes from which on the
    verdict is certain, ``deadline`` is seconds.
    """

    alias: str
    name: str
    tables: dict[str, list[list[str]]]
    targets: list[Key]
    migrations: list[Key]
    reverse: bool
    deadline: float
    stop_above: int
    folder: str
    mark: str
    probes: Probes | None = None
