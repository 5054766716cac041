"""YAML documents as nodes that know their line.  PyYAML is optional, so it is imported late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_membudget.errors import BudgetError


@dataclass(frozen=True)
class Node:
    """``line`` counts from one.  A mapping has its merge keys (``<<``) applied."""

    _node: Any
    _loader: Any = field(repr=False)

    @property
    def line(self) -> int:
        return int(self._node.start_mark.line) + 1

    @property
    def text(self) -> str | None:
        """A scalar as it is written; None of anything else, and of null."""
        is_text = self._node.id == "scalar" and not self._node.tag.endswith(":null")
        return str(self._node.value) if is_text else None

    def get(self, *path: str) -> Node | None:
        """What stands below these keys."""
        found: Node | None = self
        for key in path:
            found = dict(found.pairs()).get(key) if found else None
        return found

    def pairs(self) -> Iterator[tuple[str, Node]]:
        """The keys and values of a mapping; none of anything else."""
        if self._node.id == "mapping":
            self._loader.flatten_mapping(self._node)
            for key, value in self._node.value:
                yield str(key.value), Node(value, self._loader)

    def items(self) -> Iterator[Node]:
        """The items of a sequence; none of anything else."""
        if self._node.id == "sequence":
            yield from (Node(item, self._loader) for item in self._node.value)


def read_documents(file: Path, name: str) -> list[Node]:
    """All documents of a file, which errors call ``name``.  Raises BudgetError."""
    try:
        import yaml
    except ImportError:
        raise BudgetError(
            f'reading {name} takes PyYAML: install "pytest-membudget[yaml]"'
        ) from None
    try:
        loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
        nodes = []
        while loader.check_node():
            nodes.append(Node(loader.get_node(), loader))
        return nodes
    except OSError as error:
        raise BudgetError(f"{name}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise BudgetError(f"{name} is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise BudgetError(f"{name} is nested too deeply") from None
