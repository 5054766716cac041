"""Remove what a database server process has left behind that could not do it itself.

Its supervisor starts this program once it is dead; see supervisor.py.  The arguments are the alias,
and ``embedded`` of a Target as JSON.  It ends by saying on standard error which databases it
could not drop, in the message Left.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack

from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.server import Left
from pytest_membudget.processes.server.main import make_folder, open_scratch

_ATTEMPTS, _PAUSE = 20, 0.5


def main() -> None:
    with ExitStack() as cleanup:
        alias, embedded = sys.argv[1], json.loads(sys.argv[2])
        scratch = open_scratch(alias, embedded, make_folder(cleanup), cleanup)
        for _ in range(_ATTEMPTS):
            scratch.remove_leftovers()
            left = scratch.leftovers()
            if not left:
                break
            time.sleep(_PAUSE)  # the server may not have noticed yet that its client is dead
        print(encode(Left(left)), file=sys.stderr)
    sys.stderr.flush()
    os._exit(0)
