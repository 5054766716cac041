"""``manage.py membudget``: the same command, with the settings of ``manage.py``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from pytest_membudget.cli.main import main


class Command(BaseCommand):
    """Hands its arguments over, and exits with the status of ``membudget``."""

    help = "Memory budgets of Django migrations."

    def run_from_argv(self, argv: list[str]) -> None:
        # manage.py has read these already, wherever they stand, and has set the environment.
        own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        own.add_argument("--settings")
        own.add_argument("--pythonpath")
        known, arguments = own.parse_known_args(argv[2:])
        # Processes that the command starts import the project from where manage.py does.
        folders = [known.pythonpath, str(Path(argv[0]).resolve().parent)]
        folders.append(os.environ.get("PYTHONPATH"))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        sys.exit(main(arguments, f"{Path(argv[0]).name} {argv[1]}"))

    def print_help(self, prog_name: str, subcommand: str) -> None:
        main(["--help"], f"{Path(prog_name).name} {subcommand}")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Those of ``call_command("membudget", "report", "results.json")``."""
        parser.add_argument("arguments", nargs="*")

    def handle(self, *_: Any, **options: Any) -> str | None:
        if status := main(options["arguments"], "membudget"):
            sys.exit(status)
        return None
