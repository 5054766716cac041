"""One check of given arguments and no other test: ``membudget explain`` loads this plugin."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

_OPTION = "--membudget-explain"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, type=json.loads, required=True, help=argparse.SUPPRESS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    session.config.args = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    asked = session.config.getoption(_OPTION)
    item = ExplainedItem.from_parent(session, name="membudget", **asked)
    session.config.hook.pytest_itemcollected(item=item)
    items[:] = [item]


class ExplainedItem(pytest.Item):
    """A test that has ended, by its id and the arguments of its marker, with no body.

    ``explaining`` are the seconds for the explanation.
    """

    def __init__(self, *, marker: dict[str, Any], explaining: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.explaining = explaining
        self.add_marker(pytest.mark.membudget(**marker))

    def runtest(self) -> None:
        """Nothing of its own."""

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.nodeid
