"""What was seen: one migration, applied once, at one row count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_membudget.sample.lesson import Breakage
from pytest_membudget.sample.observed import Observed
from pytest_membudget.sample.selection import Selection
from pytest_membudget.texts import TextEnum

ForcedValues = Mapping[str, Mapping[str, Sequence[Any]]]
"""Columns by table that are seeded as statements ask for: with these values in turn, or empty."""

Shares = Mapping[str, Mapping[str, Sequence[float]]]
"""Of such columns, the share of a table's rows that has each of their values."""


class Outcome(TextEnum):
    """How a process ended that applied the migration.

    One that is over the limit, timed out, or had the machine short of memory was stopped.
    """

    FINISHED = "finished"
    RAISED = "raised"
    KILLED = "killed"
    TIMED_OUT = "timed out"
    OVER_LIMIT = "over the limit"
    MACHINE_SHORT = "machine short of memory"


@dataclass(frozen=True)
class Unmatched:
    """A statement that may load any number of rows and found none each of the ``times``.

    ``text`` is what follows its columns, without values; ``tables`` are those that it reads.
    """

    text: str
    times: int
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """A stretch of a process, by the ``statement`` that it begins with.

    ``migration`` is the label of the one that it belongs to, empty where it is the only one, and
    ``receiver`` the name of one of pre_migrate or post_migrate, which belongs to none.
    """

    migration: str
    statement: str
    receiver: str = ""


@dataclass(frozen=True)
class ReceiverTables:
    """The tables of which a receiver may load any number of rows, and those that it changes."""

    name: str
    loads: frozenset[str]
    changed: frozenset[str]


@dataclass(frozen=True)
class Facts:
    """What is known of a run's process and database beside its peak; None where it can't be known.

    ``schemas`` are those where a table is looked for that no schema is named of.
    ``most_parameters`` is how many parameters a statement had, ``parameter_limit`` how many it
    may have; ``longest_statement`` is how many bytes one had, ``statement_limit`` how many the
    server takes. ``failed_receivers`` are the project's receivers of pre_migrate and post_migrate
    that raised, with their errors. ``oldest_collections`` and ``cyclic_objects`` are what Cycles
    counts, ``kept_blocks`` and ``cyclic_blocks`` what Kept does. ``connected`` counts the
    connections that Django has opened, ``opened`` all of them; ``own_sessions`` says that the
    server counted more. ``shared_memory`` is how many bytes of the peak no process maps,
    ``unexplained`` how many a control group counted beyond it. ``left_running`` counts the
    processes that outlived the worker, ``left_growing`` says that they took ever more. ``held_up``
    says that the server could not end a statement of a process that was killed.
    ``server_allowance`` is how many bytes the server lets a sort or an index take,
    ``server_session`` what its process of the last connection took at least and at most.
    """

    debug: bool = False
    pooled: bool = False
    server_side_cursors_disabled: bool = False
    schemas: tuple[str, ...] = ()
    most_parameters: int = 0
    parameter_limit: int | None = None
    longest_statement: int = 0
    statement_limit: int | None = None
    failed_receivers: tuple[str, ...] = ()
    oldest_collections: int | None = None
    cyclic_objects: int | None = None
    kept_blocks: int | None = None
    cyclic_blocks: int | None = None
    connected: int = 0
    opened: int = 0
    own_sessions: bool = False
    shared_memory: int = 0
    unexplained: int = 0
    left_running: int = 0
    left_growing: bool = False
    held_up: bool = False
    server_allowance: int = 0
    server_session: tuple[int, int] | None = None


@dataclass(frozen=True)
class Run:
    """How one process ended that applied the migration, and how much memory it took.

    Sizes are bytes, times seconds.  ``peak`` is the peak RSS: of the process as the kernel kept
    it (``VmHWM``), or of its whole tree as the largest sum of PSS at one instant where it had
    children.  ``baseline`` is the high-water mark when the migration was about to start; where it
    was stopped before that, it has not ``begun``.
    ``anonymous`` is the part of the peak that the kernel cannot reclaim, page tables included;
    None where it is not known.  ``server_peak`` is the anonymous memory of the processes of the
    database server that worked for it, and ``server_unseen`` how much more it may have been for a
    short time; None where they can't be seen.  ``phases`` holds the
    RSS that each began with and its high-water mark.  ``read`` and ``written`` count rows
    by table, ``inserted`` the written ones that are new, ``fetched`` those that came into the
    process, in ``chunks`` of so many at most;
    ``loads`` are the tables, and functions without one, of which a statement may bring any number
    of rows, ``guards`` those where one looked for a row by some columns and found none,
    ``sought`` the rows, each with its table, that it would have found, if their values are known.
    ``sent`` is how often statements were sent that were sent often.
    ``filters`` holds the columns that its statements filter by, each with the values that they ask
    for, ``not_equal`` columns that are compared in other ways than with known values, or set;
    ``selections`` are what its statements load by such values;
    ``unmatched`` are the statements that found none of the rows; ``accessed_tables`` holds
    every table that was not only inserted into, with the columns by which each statement that loads
    rows chooses them; ``unattributed`` counts the rows of each statement that can't be said to be
    of any table; ``changed`` are the tables of statements that change rows or tables.  What
    ``receivers`` of pre_migrate and post_migrate access is not in these: they are the project's,
    connected before the migration was loaded.  ``named`` holds every table that a statement
    mentions, theirs too, ``functions`` the functions that are not SQL's own; ``opaque`` says that
    there was a statement that can't be parsed, ``mentioned`` holds the words of such ones and of
    those that name no table to read, as VACUUM.
    ``refused`` names the databases that it was not let open, see processes/redirection.
    ``not_run`` holds the migrations and operations whose code did not run whole, each with why.
    ``timeline`` holds ``(seconds, RSS)`` pairs, thinned.  ``observed`` is what
    the migration did with the rows it loaded, where asked; ``breakage`` what one that raised
    expected of a row.  Of several ``migrations`` each has, by its label, the same run with what it
    accessed.
    """

    outcome: Outcome
    peak: int
    baseline: int | None = None
    begun: bool = True
    anonymous: int | None = None
    duration: float = 0.0
    startup: float = 0.0
    phases: dict[Phase, tuple[int, int]] = field(default_factory=dict)
    processes: int = 1
    peak_source: str = "VmHWM"
    server_peak: int | None = None
    server_unseen: int = 0
    read: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    inserted: dict[str, int] = field(default_factory=dict)
    fetched: dict[str, int] = field(default_factory=dict)
    chunks: tuple[int, ...] = ()
    loads: frozenset[str] = frozenset()
    guards: dict[str, list[list[str]]] = field(default_factory=dict)
    sought: tuple[tuple[str, dict[str, Any]], ...] = ()
    sent: Mapping[str, int] = field(default_factory=dict)
    filters: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    not_equal: frozenset[tuple[str, str]] = frozenset()
    selections: tuple[Selection, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    accessed_tables: dict[str, list[list[str]]] = field(default_factory=dict)
    unattributed: dict[str, int] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    opaque: bool = False
    mentioned: frozenset[str] = frozenset()
    receivers: tuple[ReceiverTables, ...] = ()
    timeline: tuple[tuple[float, int], ...] = ()
    refused: tuple[str, ...] = ()
    not_run: tuple[tuple[str, str, str], ...] = ()
    facts: Facts = field(default_factory=Facts)
    observed: Observed | None = None
    breakage: Breakage | None = None
    failure: str = ""
    details: str = ""
    migrations: Mapping[str, Run] = field(default_factory=dict)

    @property
    def last_migration(self) -> str:
        """The label of the one of several that was applied last; empty where it is not known."""
        return next((one.migration for one in reversed(self.phases) if one.migration), "")

    def whose(self, tables: Iterable[str]) -> str:
        """The label of the first of several that accesses one of ``tables``; empty without one."""
        wanted = set(tables)
        accessing = (
            label for label, run in self.migrations.items() if wanted & run.accessed_tables.keys()
        )
        return next(accessing, "")


@dataclass(frozen=True)
class Sample:
    """The rows that were seeded and the run over them.

    ``rows`` counts each model of the budget at this scale, ``seeded`` each that was filled, whose
    ``tables`` are by label; ``size`` is the largest of ``rows``, which the ladder doubles.
    ``profile_mismatches`` are the columns, by label, whose values could not be made as the profile
    says, ``forced_values`` those that were seeded as the migration's filters ask for, by table, and
    ``shares`` those of them that only a share of the rows has.
    ``narrowed`` are the bytes by which rows of a table are narrower than production's for these.
    ``copied`` are the same of the models whose rows are copies of those in a file.
    ``crowded`` says that there is no room for a sample of twice as many rows, ``most`` how many a
    model can have that has only so many unique values.  ``held`` are blocks that another run over
    the same rows held at its end, none of them garbage.
    ``unlogged`` counts the rows of tables that the server says were accessed and that no statement
    of the run explains.
    """

    rows: dict[str, int]
    run: Run
    seed_seconds: float = 0.0
    seeded: dict[str, int] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    widths: dict[str, dict[str, int]] = field(default_factory=dict)
    profile_mismatches: dict[str, list[str]] = field(default_factory=dict)
    forced_values: ForcedValues = field(default_factory=dict)
    shares: Shares = field(default_factory=dict)
    narrowed: dict[str, float] = field(default_factory=dict)
    copied: dict[str, float] = field(default_factory=dict)
    crowded: bool = False
    most: dict[str, int] = field(default_factory=dict)
    held: int | None = None
    unlogged: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return max(self.rows.values(), default=0)

    @property
    def finished(self) -> bool:
        return self.run.outcome == Outcome.FINISHED


def finished(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Those that finished, smaller ones first."""
    return tuple(sorted((one for one in samples if one.finished), key=lambda one: one.size))
