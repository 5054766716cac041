"""Remove what a database server process has left behind that could not do it itself.

Its supervisor starts this program once it is dead; see supervisor.py.  The argument is the alias.
It ends by saying on standard error which databases it could not drop, in the message Left.
"""

from __future__ import annotations

_ATTEMPTS, _PAUSE = 5, 0.5


def main() -> None:
    import os
    import sys
    import time

    from pytest_membudget.database.folder import RunFolder, remove_dead_folders
    from pytest_membudget.processes.bootstrap import redirected
    from pytest_membudget.processes.messages.codec import encode
    from pytest_membudget.processes.messages.server import Left

    alias = sys.argv[1]
    remove_dead_folders()
    folder = RunFolder()
    try:
        target = redirected(alias, folder.path)

        from django.db import connections

        from pytest_membudget.database.scratch import scratch_databases

        scratch = scratch_databases(connections[alias], folder.path, target)
        for _ in range(_ATTEMPTS):
            scratch.remove_leftovers()
            left = scratch.leftovers()
            if not left:
                break
            time.sleep(_PAUSE)  # the server may not have noticed yet that its client is dead
        scratch.close()
        print(encode(Left(left)), file=sys.stderr)
    finally:
        folder.close()
    sys.stderr.flush()
    os._exit(0)
