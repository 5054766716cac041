"""What the pytest process and a database server process say to each other.

The first order is ``Start``, which is answered by a ``Greeting``.  Each order is answered by any
number of ``Progress`` and by ``Done`` or ``Failed``.  ``Left`` is the last line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast, get_args

from pytest_membudget.processes.messages.codec import Codec, convert
from pytest_membudget.processes.messages.orders import A, Order


@dataclass(frozen=True)
class Greeting:
    """``folder`` holds the run's files; ``mark`` and ``password`` are as in a Target.

    ``vendor`` and ``version`` are the database's; ``secrets`` are values of the settings that may
    not be shown.  ``waits_for_disk`` says that the server is safe against a loss of power.
    """

    folder: str = ""
    mark: str = ""
    password: str = ""
    vendor: str = ""
    version: str = ""
    secrets: list[str] = field(default_factory=list)
    waits_for_disk: bool = False


@dataclass(frozen=True)
class Start(Order[Greeting]):
    """Load the project with ``alias`` redirected to a scratch database; sent once, first.

    ``embedded`` is that of a Target.  ``cache`` is the folder of the states that are kept between
    runs, empty where none are.
    """

    alias: str
    embedded: dict[str, str] = field(default_factory=dict)
    cache: str = ""


@dataclass(frozen=True)
class Progress:
    """``step`` names the migration that is being applied to build a state."""

    step: str


@dataclass(frozen=True)
class Done:
    """The ``answer`` to an order, of its type; ``names`` are the databases that exist now."""

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
    """The process ends; ``names`` are the databases that it could not drop."""

    names: list[str]


def answer_of(done: Done, order: Order[A]) -> A:
    """The answer, of the type that the order's class says."""
    (base,) = type(order).__orig_bases__  # type: ignore[attr-defined]
    (kind,) = get_args(base)
    return cast("A", convert(done.answer, kind))


Answer = Progress | Done | Failed | Left

ORDERS = Codec(Order.__subclasses__())
ANSWERS = Codec(get_args(Answer))
