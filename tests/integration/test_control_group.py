"""Memory control groups with a limit: what is killed in them, and that nothing is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import eventually

from pytest_membudget.processes.worker import control_group as module
from pytest_membudget.processes.worker.control_group import (
    ControlGroup,
    NoControlGroup,
    control_group,
    own_groups,
)

MIB = 1024**2
TAKE = "b'x' * ({} << 20)"
# A child that takes it, of a parent that goes on.
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TAKE.format(200)!r}])"


@pytest.fixture(scope="module", autouse=True)
def _possible() -> None:
    try:
        with control_group(64 * MIB) as group:
            if group.events is None:
                pytest.skip("there is only systemd-run here")
    except NoControlGroup as error:
        pytest.skip(str(error))


def left() -> Iterator[Path]:
    for _, own in own_groups():
        for parent in (own, *own.parents):
            yield from parent.glob(f"membudget-limit-{os.getpid()}-*")


def run(group: ControlGroup, code: str) -> int:
    command = [*group.enter, sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(command, check=False).returncode


def test_the_kernel_kills_what_takes_more_and_nothing_else() -> None:
    with control_group(100 * MIB) as group:
        assert run(group, TAKE.format(40)) == 0
        assert group.kills == 0
        assert run(group, TAKE.format(200)) == -9
        assert group.kills == 1
    assert not list(left())


def test_children_are_counted() -> None:
    with control_group(100 * MIB) as group:
        assert run(group, CHILD) == 0
        assert group.kills == 1


def test_what_is_left_running_ends_with_the_group() -> None:
    with control_group(100 * MIB) as group:
        code = "import time; time.sleep(600)"
        process = subprocess.Popen([*group.enter, sys.executable, "-I", "-S", "-c", code])
        assert eventually(lambda: Path(group.enter[-1]).read_text() != "")
    assert process.wait(10) == -9
    assert not list(left())


def test_an_exception_and_a_killed_run_leave_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), control_group(100 * MIB):
        raise KeyboardInterrupt
    assert not list(left())
    code = (
        "import os; from pytest_membudget.processes.worker.control_group import control_group\n"
        "with control_group(1 << 27) as group: print(group.enter[-1], flush=True); os.kill(0, 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, start_new_session=True
    )
    folder = Path(done.stdout.strip()).parent
    assert folder.exists()
    with control_group(100 * MIB):
        assert not folder.exists()


def test_systemd_makes_one_where_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No systemd runs in a container, so its arguments are what is tried."""
    program = tmp_path / "systemd-run"
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >> {tmp_path}/said\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(module, "own_groups", list)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with control_group(64 * MIB) as group:
        assert (group.kind, group.kills) == ("systemd-run", None)
        assert run(group, "raise SystemExit(5)") == 5
    said = (tmp_path / "said").read_text()
    assert f"--scope --quiet --collect --property=MemoryMax={64 * MIB} " in said
    program.write_text("#!/bin/sh\necho 'System has not been booted' >&2; exit 1\n")
    message = "can be made here .*systemd-run: System has not been booted"
    with pytest.raises(NoControlGroup, match=message), control_group(64 * MIB):
        pass


def test_where_none_can_be_made_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_groups", lambda: [(1, Path("/proc/none"))])
    monkeypatch.setenv("PATH", "")
    message = r"no memory control group can be made here \(/proc/none: no control group\)"
    with pytest.raises(NoControlGroup, match=message), control_group(64 * MIB):
        pass
