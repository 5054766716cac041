"""The Python processes that a migration starts are redirected like the one that starts them.

They find this in their environment: a folder of its own in PYTHONPATH, whose ``sitecustomize`` runs
before any code of theirs, and the file of the target.
"""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection import embedded
from pytest_membudget.processes.redirection.events import on_event
from pytest_membudget.processes.redirection.imports import after_import

VARIABLE = "MEMBUDGET_TARGET"
_STARTUP = os.path.join(os.path.dirname(__file__), "startup")
# Clients that connect to an address of their own.
_PROGRAMS = {
    "createdb", "dropdb", "mariadb", "mariadb-admin", "mariadb-import", "mysql", "mysqladmin",
    "mysqlimport", "pg_restore", "psql", "sqlite3",
}  # fmt: skip
_SHELLS = {"bash", "dash", "ksh", "sh", "zsh"}
# With each of these Python does not look at its environment or at sitecustomize.
_IGNORES_STARTUP = "IES"
_TAKES_VALUE, _ENDS_OPTIONS, _LONG_WITH_VALUE = "WX", "cm", "--check-hash-based-pycs"


def install(target: Target) -> None:
    """Set the environment for child processes, also where a migration gives them one of its own."""
    complete(os.environ, target)

    def check(number: int, args: tuple[Any, ...]) -> None:
        complete(os.environ, target)
        _check_command(args[number], target)

    for event, number in _COMMANDS.items():
        on_event(event, functools.partial(check, number))
    after_import(
        "subprocess", lambda module: _watch_environment(module.Popen, "__init__", 11, target)
    )
    after_import("multiprocessing.util", lambda module: _watch_spawn(module, target))
    for name in ("execve", "posix_spawn", "posix_spawnp"):
        _watch_environment(os, name, 2, target)


def complete(environment: MutableMapping[str, str], target: Target) -> None:
    """Add what redirects a Python process to the environment that it will get."""
    environment[VARIABLE] = target.file
    if target.embedded:
        embedded.complete(environment, target.embedded)
    paths = environment.get("PYTHONPATH", "")
    if paths.split(os.pathsep)[0] != _STARTUP:
        environment["PYTHONPATH"] = f"{_STARTUP}{os.pathsep}{paths}" if paths else _STARTUP


def _completed(environment: Mapping[Any, Any] | None, target: Target) -> dict[str, str]:
    """An environment that a migration gives to a process; None is its own."""
    items = (os.environ if environment is None else environment).items()
    plain = {os.fsdecode(name): os.fsdecode(value) for name, value in items}
    complete(plain, target)
    return plain


def _watch_spawn(util: Any, target: Target) -> None:
    """The processes of multiprocessing inherit the environment as it is in that moment."""
    spawn = util.spawnv_passfds

    @functools.wraps(spawn)
    def spawnv_passfds(*args: Any, **kwargs: Any) -> Any:
        complete(os.environ, target)
        return spawn(*args, **kwargs)

    util.spawnv_passfds = spawnv_passfds


def _watch_environment(holder: Any, name: str, place: int, target: Target) -> None:
    """Complete what a function is given as ``env``, its positional argument ``place``."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def with_environment(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place:
            args = (*args[:place], _completed(args[place], target), *args[place + 1 :])
        elif "env" in kwargs:
            kwargs["env"] = _completed(kwargs["env"], target)
        return original(*args, **kwargs)

    setattr(holder, name, with_environment)


# The command among the arguments of audit events; see the standard library's "Audit events table".
_COMMANDS = {
    "subprocess.Popen": 1,
    "os.system": 0,
    "os.exec": 1,
    "os.posix_spawn": 1,
    "os.spawn": 2,
}


def _check_command(command: Any, target: Target) -> None:
    """Raise RefusedDatabase for a client of a database, and a Python that can't be redirected."""
    for words in _commands(command):
        program = os.path.basename(words[0])
        if program in _PROGRAMS:
            target.refuse(f"the program {program}, whose connection can't be redirected")
        if program.startswith("python") and (flag := _ignoring_flag(words[1:])):
            target.refuse(f"a Python process with -{flag}, which ignores its environment")


def _commands(command: Any) -> Iterator[list[str]]:
    """The words of the command, and of each command that it has a shell run."""
    if isinstance(command, str | bytes | os.PathLike):
        text = os.fsdecode(command)
        yield from _in_shell(text)
        return
    words = [os.fsdecode(word) for word in command]
    if not words:
        return
    yield words
    if os.path.basename(words[0]) in _SHELLS and "-c" in words[:-1]:
        yield from _in_shell(words[words.index("-c") + 1])


def _in_shell(text: str) -> Iterator[list[str]]:
    try:
        words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    except ValueError:
        words = text.split()
    # Any word may be a command's first: after a variable, an operator or another program.
    yield from (words[start:] for start in range(len(words)))


def _ignoring_flag(arguments: Sequence[str]) -> str | None:
    """The flag of a Python command line with which it would not be redirected; None without one."""
    rest = iter(arguments)
    for argument in rest:
        if argument == _LONG_WITH_VALUE:
            next(rest, None)
            continue
        if not argument.startswith("-") or argument.startswith("--") or argument == "-":
            return None
        for place, letter in enumerate(argument[1:], start=2):
            if letter in _IGNORES_STARTUP:
                return letter
            if letter in _ENDS_OPTIONS:
                return None
            if letter in _TAKES_VALUE:
                if place == len(argument):
                    next(rest, None)
                break
    return None
