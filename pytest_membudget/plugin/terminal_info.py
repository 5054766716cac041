"""The terminal that a failure will be read on, which under xdist is the controller's."""

from __future__ import annotations

import shutil
import sys

import pytest

KEY = "membudget_terminal"
"""Where a worker of xdist finds it in its input."""


def terminal_info(config: pytest.Config) -> tuple[int, bool]:
    """Its columns, and whether it shows more than ASCII."""
    if hasattr(config, "workerinput"):
        width, unicode = config.workerinput[KEY]
        return width, unicode
    if config.pluginmanager.hasplugin("terminalreporter"):
        width = config.get_terminal_writer().fullwidth
    else:
        width = shutil.get_terminal_size().columns
    try:
        "\u28ff".encode(getattr(sys.__stdout__, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return width, False
    return width, True
