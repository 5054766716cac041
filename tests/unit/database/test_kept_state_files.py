"""States that are kept between runs: what is read of them, and what is never touched."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_membudget.database import kept_states
from pytest_membudget.database.kept_states import FOLDER, KeptState, KeptStates

STATE = KeptState(
    applied=frozenset([("shop", "0001_initial"), ("auth", "0001_initial")]),
    models=7,
    files=["/project/shop/migrations/0001_initial.py"],
    folders=[],
    variables=["DATABASE_URL"],
    without_classes=[],
    digest="0123",
)
CONTENT = b"SQLite format 3\0" + bytes(100_000)


@pytest.fixture
def kept(tmp_path: Path) -> KeptStates:
    return KeptStates(tmp_path / FOLDER)


def keep(kept: KeptStates, content: bytes = CONTENT, state: KeptState = STATE) -> Path:
    """Keep a state and return its file, the newest one."""
    with kept.building(lambda: None):
        kept.add(state, content)
    return max(kept.path.glob("*.state"), key=lambda file: file.stat().st_mtime_ns)


def test_a_state_is_read_as_it_was_kept(kept: KeptStates) -> None:
    file = keep(kept)
    [state] = KeptStates(kept.path).all()
    assert replace(state, content="") == STATE
    assert kept.content(state) == CONTENT
    assert file.stat().st_size < len(CONTENT) / 10
    assert file.stat().st_mode & 0o077 == 0
    assert kept.path.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in kept.path.parent.iterdir()) == [FOLDER]


@pytest.mark.parametrize("place", ["first", "middle", "last", "cut", "empty"])
def test_a_damaged_file_is_no_state(kept: KeptStates, place: str) -> None:
    file = keep(kept, os.urandom(1000))
    whole = bytearray(file.read_bytes())
    if place in ("cut", "empty"):
        del whole[-10 if place == "cut" else 0 :]
    else:
        whole[{"first": 20, "middle": len(whole) - 500, "last": -1}[place]] ^= 1
    file.write_bytes(whole)
    kept = KeptStates(kept.path)
    assert [kept.content(state) for state in kept.all()] in ([], [None])


def test_a_file_under_another_name_is_no_state(kept: KeptStates) -> None:
    file = keep(kept)
    file.rename(file.with_name(f"{'0' * 32}.state"))
    assert KeptStates(kept.path).all() == []


def test_an_old_state_is_not_used_and_removed(kept: KeptStates) -> None:
    file = keep(kept)
    week_ago = time.time() - 7 * 24 * 3600 - 1
    os.utime(file, (week_ago, week_ago))
    assert kept.all() == []
    new = keep(kept, state=replace(STATE, models=8))
    assert list(kept.path.glob("*.state")) == [new]


def test_the_oldest_are_removed_where_they_take_too_much(
    kept: KeptStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_states, "_MOST_BYTES", 2500)
    for models in range(4):
        keep(kept, os.urandom(1000), replace(STATE, models=models))
        time.sleep(0.01)
    assert [state.models for state in kept.all()] == [3]


def test_what_a_killed_process_has_begun_to_write_is_removed(kept: KeptStates) -> None:
    keep(kept)
    (kept.path / "tmp123.part").write_bytes(b"half")
    assert len(kept.all()) == 1
    keep(kept, state=replace(STATE, models=8))
    assert list(kept.path.glob("*.part")) == []
    assert len(kept.all()) == 2


def test_only_a_folder_of_ours_is_used_and_removed(kept: KeptStates) -> None:
    kept.path.mkdir()
    theirs = kept.path / "theirs.state"
    theirs.write_text("theirs")
    with kept.building(lambda: None):
        kept.add(STATE, CONTENT)
    kept.clear()
    assert kept.all() == []
    assert list(kept.path.iterdir()) == [theirs]
    assert list(kept.path.parent.iterdir()) == [kept.path]


def test_a_link_to_a_folder_of_ours_is_not_followed(kept: KeptStates, tmp_path: Path) -> None:
    keep(kept)
    there = kept.path.rename(tmp_path / "elsewhere")
    kept.path.symlink_to(there)
    assert kept.all() == []
    kept.clear()
    assert list(there.glob("*.state"))


def test_a_place_where_nothing_can_be_written_keeps_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = KeptStates(tmp_path / "file" / FOLDER)
    with kept.building(lambda: None):
        kept.add(STATE, CONTENT)
    assert kept.all() == []
    kept.clear()


def test_it_is_ignored_by_git_and_by_backups(kept: KeptStates) -> None:
    keep(kept)
    assert "*" in (kept.path / ".gitignore").read_text().splitlines()
    tag = (kept.path / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_one_process_builds_at_a_time(kept: KeptStates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_states, "_TELL_EVERY", 0.0)
    waits: list[float] = []

    class Over(Exception):
        pass

    def wait() -> None:
        waits.append(time.monotonic())
        if len(waits) == 3:
            raise Over

    with kept.building(lambda: None), pytest.raises(Over), KeptStates(kept.path).building(wait):
        raise AssertionError("two build at a time")
    with kept.building(wait):
        assert len(waits) == 3


def test_clearing_removes_the_folder(kept: KeptStates) -> None:
    keep(kept)
    kept.clear()
    assert not kept.path.exists()
    keep(kept)
    assert len(kept.all()) == 1
