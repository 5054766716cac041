"""The memory limit in force for one check, in bytes, and where it comes from."""

from __future__ import annotations

from pytest_membudget.budget.container import memory_limit
from pytest_membudget.budget.options import MARKER, Options, Setting
from pytest_membudget.budget.readers import CGROUP
from pytest_membudget.errors import BudgetError


def limit_in_force(asked: int | str | None, options: Options) -> Setting[int]:
    """The limit that the marker asks for, or that of the options.  Raises BudgetError."""
    limit = options.limit if asked is None else Setting(asked, MARKER)
    if limit is None:
        raise BudgetError(
            "no limit: set the memory limit of the container that runs migrations in production "
            'with limit="512Mi", --membudget-limit or membudget_limit'
        )
    if isinstance(limit.value, int):
        return Setting(limit.value, limit.source)
    if limit.value != CGROUP:
        from pytest_membudget.budget.manifests.limit import read_file_limit

        try:
            found = read_file_limit(limit.value, options.path(limit, ""))
        except BudgetError as error:
            raise BudgetError(f"limit: {error}") from None
        return Setting(found.size, f"{found.place}, set by {limit.source}")
    size = memory_limit()
    if size is None:
        raise BudgetError('limit="cgroup": this process runs under no memory limit')
    return Setting(size, f"{CGROUP}, set by {limit.source}")
