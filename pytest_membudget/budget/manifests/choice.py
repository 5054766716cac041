"""What of a file may have a memory limit, and which of it is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pytest_membudget.budget.manifests.nodes import Node
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown


@dataclass(frozen=True)
class Choice:
    """One container or service.

    ``address`` ends in its name: ``("Job", "migrate", "app")``.  ``limits`` are the places that set
    the same limit, ``reserved`` is what is promised to it.
    """

    address: tuple[str, ...]
    line: int
    limits: tuple[Node, ...] = ()
    reserved: Node | None = None

    def __str__(self) -> str:
        return "/".join(self.address)

    def is_called(self, name: str) -> bool:
        """Whether ``name`` is its address, or the end of it: ``"migrate/app"``."""
        parts = tuple(name.split("/"))
        return self.address[-len(parts) :] == parts


@dataclass(frozen=True)
class Format:
    """One that ``PREFIX:FILE#NAME`` names.

    ``noun`` is what has a limit, ``reservation`` what is promised to it, ``advice`` how to render a
    file that is a template.
    """

    noun: str
    reservation: str
    advice: str
    choices: Callable[[Sequence[Node]], Iterator[Choice]]
    parse_size: Callable[[str], int]


def choose(choices: Sequence[Choice], name: str, kind: Format) -> Choice:
    """The one that is called ``name``, or the only one.  BudgetError lists the choices."""
    if not choices:
        raise BudgetError(f"has no {kind.noun}; {kind.advice}")
    found = [one for one in choices if not name or one.is_called(name)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{_shortest(one, choices)} (line {one.line})" for one in found or choices)
    if not name:
        raise BudgetError(f"has {len(found)} {kind.noun}s; add # and the name of one: {listed}")
    if found:
        raise BudgetError(f"has {len(found)} {kind.noun}s {shown(name)}; write {listed}")
    raise BudgetError(f"has no {kind.noun} {shown(name)}; it has {listed}")


def _shortest(choice: Choice, others: Sequence[Choice]) -> str:
    """The end of its address that no other has."""
    for length in range(1, len(choice.address)):
        name = "/".join(choice.address[-length:])
        if sum(one.is_called(name) for one in others) == 1:
            return name
    return str(choice)
