"""Remove the folder of an embedded server whose program was killed; its supervisor starts this."""

from __future__ import annotations

from pytest_membudget.database.folder import remove_dead_folders


def main() -> None:
    remove_dead_folders()
