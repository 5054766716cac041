"""The containers of Kubernetes manifests, and quantities as Kubernetes reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from pytest_membudget.budget.manifests.choice import Choice, Format
from pytest_membudget.budget.manifests.nodes import Node
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown
from pytest_membudget.units import MOST

# k8s.io/apimachinery, pkg/api/resource/quantity.go: the grammar, and that fractions round up.
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3}|)"
)
_BINARY = {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
_DECIMAL = {unit: Decimal(1000) ** power for power, unit in enumerate("num_kMGTPE", start=-3)}
_FACTORS = {**_BINARY, **_DECIMAL, "": Decimal(1)}
_LISTS = ("initContainers", "containers")


def containers(documents: Sequence[Node]) -> Iterator[Choice]:
    """Those of every pod template, wherever it stands: in a Job, a CronJob, a List of objects."""
    for document in documents:
        yield from _below(document, ())


def _below(node: Node, owner: tuple[str, ...]) -> Iterator[Choice]:
    kind, name = node.get("kind"), node.get("metadata", "name")
    if kind is not None and name is not None:
        owner = (kind.text or "", name.text or "")
    for key, value in node.pairs():
        if key in _LISTS:
            yield from (_choice(one, owner) for one in value.items() if one.get("name"))
        else:
            yield from _below(value, owner)
    for item in node.items():
        yield from _below(item, owner)


def _choice(container: Node, owner: tuple[str, ...]) -> Choice:
    name, limit = container.get("name"), container.get("resources", "limits", "memory")
    assert name is not None
    return Choice(
        address=(*owner, name.text or ""),
        line=container.line,
        limits=(limit,) if limit else (),
        reserved=container.get("resources", "requests", "memory"),
    )


def parse_quantity(text: str) -> int:
    """Bytes, rounded up.  Raises BudgetError."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise BudgetError(f"{shown(text)} is not a quantity of Kubernetes, such as 512Mi or 1.5Gi")
    number, suffix = match.groups()
    if suffix in _FACTORS:
        size = Decimal(number) * _FACTORS[suffix]
    else:
        size = Decimal(f"{number}{suffix}")
    if size > MOST:
        raise BudgetError(f"{shown(text)} is more memory than any machine has")
    return int(size.to_integral_value(ROUND_CEILING))


FORMAT = Format(
    noun="container",
    reservation="request",
    advice="render a chart with `helm template` and an overlay with `kubectl kustomize`, and name "
    "the file of their output",
    choices=containers,
    parse_size=parse_quantity,
)
