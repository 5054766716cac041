"""The services of a Compose file, and sizes as Docker reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from pytest_membudget.budget.manifests.choice import Choice, Format
from pytest_membudget.budget.manifests.nodes import Node
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown
from pytest_membudget.units import MOST

# docker/go-units, size.go, RAMInBytes: each unit is binary, so 512M are 512 MiB.
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_UNITS = "_kmgtp"


def services(documents: Sequence[Node]) -> Iterator[Choice]:
    for document in documents:
        found = document.get("services")
        for name, service in found.pairs() if found else ():
            resources = "deploy", "resources"
            limits = service.get(*resources, "limits", "memory"), service.get("mem_limit")
            promised = service.get(*resources, "reservations", "memory")
            yield Choice(
                address=(name,),
                line=service.line,
                limits=tuple(limit for limit in limits if limit),
                reserved=promised or service.get("mem_reservation"),
            )


def parse_docker_size(text: str) -> int:
    """Bytes.  Raises BudgetError."""
    if "$" in text:
        raise BudgetError(f"{shown(text)} depends on the environment; {_ADVICE}")
    match = _SIZE.fullmatch(text)
    if match is None:
        raise BudgetError(f"{shown(text)} is not a size of Docker, such as 512m or 2gb")
    size = Decimal(match[1])
    power = _UNITS.index(match[2].lower()) if match[2] else 0
    if size > MOST or size * 1024**power > MOST:
        raise BudgetError(f"{shown(text)} is more memory than any machine has")
    return int(size * 1024**power)


_ADVICE = "name a file with the output of `docker compose config`"
FORMAT = Format(
    noun="service",
    reservation="reservation",
    advice=_ADVICE,
    choices=services,
    parse_size=parse_docker_size,
)
