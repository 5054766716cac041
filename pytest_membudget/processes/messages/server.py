"""What the pytest process and a database server process say to each other.

``Start`` is answered by a ``Greeting``; then one order follows the other, each answered by any
number of ``Progress`` and by ``Done`` or ``Failed``.  ``Left`` is the last line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args

from pytest_membudget.processes.messages.codec import Codec, convert
from pytest_membudget.processes.messages.orders import (
    A,
    Clone,
    Count,
    Drop,
    Fingerprint,
    ListRefusals,
    ListTables,
    Order,
    Prepare,
    ReadActivity,
    Seed,
    Weigh,
)


@dataclass(frozen=True)
class Greeting:
    """``folder`` holds the run's files, ``mark`` is in each of its databases, see Target.

    ``vendor`` and ``version`` are the database's; ``secrets`` are values of the settings that may
    not be shown.
    """

    folder: str
    mark: str
    vendor: str
    version: str
    secrets: list[str]


@dataclass(frozen=True)
class Start(Order[Greeting]):
    """Load the project with ``alias`` led to a scratch database; the first order, sent once."""

    doing = "loading the project"
    alias: str


@dataclass(frozen=True)
class Progress:
    """An order goes on: ``step`` names the migration that is applied to build a state."""

    step: str


@dataclass(frozen=True)
class Done:
    """The ``answer`` to an order, of its type; ``names`` are the databases that exist by now."""

    answer: Any
    names: list[str]


@dataclass(frozen=True)
class Failed:
    """An order failed; ``details`` holds the traceback behind the ``text``, and may be empty.

    ``no_room`` says that there was no room for the rows, ``names`` are as those of Done.
    """

    text: str
    details: str
    no_room: bool
    names: list[str]


@dataclass(frozen=True)
class Left:
    """The last words of a process: the databases that it could not drop."""

    names: list[str]


def answer_of(done: Done, order: Order[A]) -> A:
    """The answer, of the type that the order's class says."""
    (base,) = type(order).__orig_bases__  # type: ignore[attr-defined]
    (kind,) = get_args(base)
    return cast("A", convert(done.answer, kind))


Answer = Progress | Done | Failed | Left

ORDERS = Codec(
    (
        Start,
        Prepare,
        Weigh,
        ListTables,
        Count,
        Seed,
        Clone,
        ReadActivity,
        Fingerprint,
        ListRefusals,
        Drop,
    )
)
ANSWERS = Codec(get_args(Answer))
