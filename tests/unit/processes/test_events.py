"""Audit events: one hook, whatever number of them something is done about."""

from __future__ import annotations

import subprocess
import sys

# Hooks can't be removed from a process.
_PROGRAM = """
import sys
hooks, seen = [], []
sys.addaudithook = lambda hook, add=sys.addaudithook: (hooks.append(hook), add(hook))
from pytest_membudget.processes.redirection.events import on_event

def refuse(args):
    raise PermissionError(args[0])

on_event("it.opened", seen.append)
on_event("it.closed", lambda args: seen.append("closed"))
on_event("it.closed", refuse)
on_event("it.closed", lambda args: seen.append("never"))
sys.audit("it.opened", 1, 2)
sys.audit("another", 1)
try:
    sys.audit("it.closed", "this")
except PermissionError as error:
    seen.append(str(error))
print(len(hooks), seen)
"""


def test_each_event_reaches_what_was_registered_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True)
    assert done.stdout == "1 [(1, 2), 'closed', 'this']\n", done.stderr
