"""``membudget cache``: the states of databases that runs have kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_membudget.database.kept_states import FOLDER, KeptStates
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible
from pytest_membudget.units import format_size


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clear", action="store_true", help="remove the folder; the next run builds the states"
    )
    parser.set_defaults(run=_cache, parser=parser)


def _cache(options: argparse.Namespace) -> int:
    """Show or remove the folder of this folder's project."""
    here = Path.cwd()
    folders = [folder / FOLDER for folder in (here, *here.parents)]
    found = next((kept for kept in map(KeptStates, folders) if kept.is_ours()), None)
    if found is None:
        print(f"no states are kept in {visible(str(here))} or a folder above it")
        return 0
    states = len(found.all())
    text = f"{found.path}: {states} {'state' if states == 1 else 'states'}, "
    text += format_size(found.size())
    if options.clear:
        try:
            found.clear()
        except OSError as error:
            raise BudgetError(f"{found.path} can't be removed: {error.strerror}") from None
        text += ", removed"
    print(visible(text))
    return 0
