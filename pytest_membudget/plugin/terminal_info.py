"""The terminal that a failure will be read on, which under xdist is the controller's."""

from __future__ import annotations

import shutil
import sys

import pytest

_KEY = "membudget_screen"


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


class ScreenOfWorkers:
    """Tells each worker of xdist about the terminal; registered in the controller."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        node.workerinput[_KEY] = terminal_info(node.config)  # type: ignore[attr-defined]


def _shows_braille() -> bool:
    try:
        "\u28ff".encode(getattr(sys.__stdout__, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
