"""The files that a branch has added or changed, by git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pytest_membudget.errors import BudgetError


class Repository:
    """A working tree and a ``ref``.  BudgetError without git, repository, ref or common history."""

    def __init__(self, folder: Path, ref: str) -> None:
        self._folder = folder
        self._ref = ref
        self._top = Path(self._git("rev-parse", "--show-toplevel").strip())
        self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}",
            problem=f"there is no git ref {ref!r}; a CI job may have to fetch it first",
        )  # fmt: skip
        self._base = self._git(
            "merge-base", ref, "HEAD",
            problem=f"HEAD and {ref} have no common history here; a CI job has to fetch all of it, "
            "for instance with fetch-depth: 0",
        ).strip()  # fmt: skip

    def changed_files(self) -> set[Path]:
        """Files added, changed or renamed since the merge base, those not committed included."""
        untracked = self._git(
            "ls-files", "--others", "--exclude-standard", "--full-name", "-z", str(self._top)
        )
        return self._differing("d") | self._files(untracked)

    def modified_files(self) -> set[Path]:
        """Those of the changed files that the merge base has."""
        return self._differing("MT")

    def _differing(self, kinds: str) -> set[Path]:
        options = ("--name-only", "--no-renames", f"--diff-filter={kinds}", "-z")
        return self._files(self._git("diff", *options, self._base))

    def _files(self, names: str) -> set[Path]:
        return {(self._top / name).resolve() for name in names.split("\0") if name}

    def had(self, file: Path) -> bool:
        """Whether the merge base has this file."""
        try:
            name = file.resolve().relative_to(self._top.resolve())
        except ValueError:
            return False
        return bool(self._git("ls-tree", "--name-only", "--full-tree", self._base, "--", str(name)))

    def _git(self, *arguments: str, problem: str | None = None) -> str:
        command = ["git", "-C", str(self._folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise BudgetError(f"{self._ref!r} needs git, which is not installed") from None
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise BudgetError(problem or f"{self._ref!r}: git says: {said[-1] if said else ''}")
        return done.stdout
