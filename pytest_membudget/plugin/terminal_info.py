"""The terminal that a failure will be read on, which under xdist is the controller's."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import pytest

_KEY = "membudget_terminal"


def terminal_info(config: pytest.Config) -> tuple[int, bool]:
    """Its columns, and whether it shows more than ASCII."""
    if hasattr(config, "workerinput"):
        width, unicode = config.workerinput[_KEY]
        return width, unicode
    if config.pluginmanager.hasplugin("terminalreporter"):
        width = config.get_terminal_writer().fullwidth
    else:
        width = shutil.get_terminal_size().columns
    return width, _shows_braille()


def tell_worker(node: Any) -> None:
    """Give a worker of xdist what it will be asked for; called in the controller."""
    node.workerinput[_KEY] = terminal_info(node.config)


def _shows_braille() -> bool:
    try:
        "\u28ff".encode(getattr(sys.__stdout__, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
