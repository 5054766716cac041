"""Every database connection of a child process leads to a scratch database, or is refused.

It holds in each process that this package starts, and in each Python process below them:

* :mod:`.settings` points the measured alias at the scratch database and closes every other alias;
* :mod:`.connections` asks each new Django connection which database it is really connected to;
* :mod:`.drivers` asks the drivers' own connections the same, those that bypass Django;
* :mod:`.children` brings all of this to the Python processes that a migration starts.
"""

from __future__ import annotations

from pytest_membudget.database.target import Target


def install(target: Target) -> None:
    """Redirect this process, before any code of the project runs, and those that it starts."""
    from pytest_membudget.processes.redirection import children, connections, drivers, settings

    drivers.install(target)
    settings.install(target)
    connections.install(target)
    children.install(target)
