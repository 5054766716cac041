"""What a process reads is recorded, and told apart when it changes.

An audit hook can't be removed, so each test has a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

BEGIN = """
import json, os, sys
from pathlib import Path
from pytest_membudget.processes.server.inputs import ChangedMeanwhile, Inputs
os.mkdir("run")
inputs = Inputs("run")
sys.path.insert(0, os.getcwd())
"""
END = """
with inputs.paused():
    print(json.dumps({
        "files": [os.path.relpath(file) for file in sorted(inputs.files())],
        "folders": [os.path.relpath(folder) for folder in sorted(inputs.folders())],
        "variables": sorted(inputs.variables),
        "elsewhere": inputs.elsewhere,
    }))
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str = "") -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(code: str, **environment: str) -> dict[str, Any]:
    """What a process that runs ``code`` has read."""
    source = BEGIN + textwrap.dedent(code) + END
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code",
    [
        "open('data.sql').read()",
        "Path('data.sql').read_text()",
        "os.close(os.open('data.sql', os.O_RDONLY))",
        "open(b'data.sql').read()",
        "open('data.sql', 'r+').read()",
        "os.mkdir('below'); os.chdir('below'); open('../data.sql').read(); os.chdir('..')",
    ],
)
def test_a_file_that_is_read(here: Path, code: str) -> None:
    write("data.sql")
    assert read(code)["files"] == ["data.sql"]


def test_what_is_no_input(here: Path) -> None:
    """What is only written, is of the run, of a package or of the kernel."""
    found = read(
        """
        open("log", "a").write("x")
        Path("run/1.sqlite3").touch()
        open("run/1.sqlite3").read()
        open("/proc/self/status").read()
        import sqlite3, django.db.models, email.mime.text
        sqlite3.connect("run/1.sqlite3").close()
        sqlite3.connect(":memory:").close()
        os.listdir("/proc")
        os.listdir(".")
        os.environ.get("HOME")
        """
    )
    assert found == {"files": [], "folders": [], "variables": [], "elsewhere": False}


def test_the_source_of_a_module_is_an_input_with_bytecode_and_without(here: Path) -> None:
    write("shop/__init__.py")
    write("shop/fields.py", "def later():\n    import shop.more")
    write("shop/more.py")
    code = "import shop.fields; shop.fields.later()"
    files = ["shop/__init__.py", "shop/fields.py", "shop/more.py"]
    assert read(code, PYTHONDONTWRITEBYTECODE="1")["files"] == files
    (here / "run").rmdir()
    assert read(code, PYTHONDONTWRITEBYTECODE="")["files"] == files
    assert list(here.glob("shop/__pycache__/*.pyc"))
    (here / "run").rmdir()
    assert read(code)["files"] == files


def test_a_file_that_is_looked_for_in_vain(here: Path) -> None:
    assert read("try: open('absent')\nexcept OSError: pass")["files"] == ["absent"]


def test_names_in_a_folder_are_an_input_unless_modules_are_searched_there(here: Path) -> None:
    write("sql/1.sql")
    write("shop/__init__.py")
    found = read("list(Path('sql').glob('*')); os.listdir('shop'); os.listdir('.')")
    assert found["folders"] == ["sql"]


def test_a_variable_that_is_read(here: Path) -> None:
    found = read(
        """
        with inputs.variables_recorded():
            os.environ["ONE"], os.getenv("TWO"), os.environ.get("THREE"), "FOUR" in os.environ
            os.environb.get(b"FIVE"), os.getenv("MEMBUDGET_TARGET"), os.getenv("PYTHONPATH")
        os.environ.get("SIX")
        """,
        ONE="1",
    )
    assert found["variables"] == ["FIVE", "FOUR", "ONE", "THREE", "TWO"]


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess; subprocess.run(['true'])",
        "os.system('true')",
        "os.waitpid(os.fork() or os._exit(0), 0)",
        "import sqlite3; sqlite3.connect('other.sqlite3')",
        "import socket; s = socket.socket(); s.settimeout(1)\n"
        "try: s.connect(('127.0.0.1', 9))\nexcept OSError: pass",
    ],
)
def test_what_comes_from_elsewhere(here: Path, code: str) -> None:
    assert read(code)["elsewhere"]


def digest(code: str = "", variable: str | None = None, facts: str = "3.13") -> str:
    """That of a file, a folder and a variable in a new process, which runs ``code`` before."""
    Path("run").exists() and Path("run").rmdir()
    source = f"""
from pytest_membudget.database.kept_states import KeptState
data, sql = map(os.path.abspath, ("data", "sql"))
state = KeptState(frozenset(), 0, [data], [sql], ["V"], [])
with inputs.paused():
    {code}
    try:
        print(inputs.digest({facts!r}, state))
    except ChangedMeanwhile:
        print("changed")
"""
    environment = {name: value for name, value in os.environ.items() if name != "V"}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + source],
        env={**environment, **({} if variable is None else {"V": variable})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_digest_is_another_one_where_anything_differs(here: Path) -> None:
    write("data", "1")
    write("sql/1.sql")
    found = [digest(), digest(variable=""), digest(variable="1"), digest(facts="3.14")]
    write("data", "2")
    found.append(digest())
    Path("data").unlink()
    found.append(digest())
    write("sql/2.sql")
    found.append(digest())
    assert len(set(found)) == len(found)
    Path("sql/2.sql").unlink()
    write("data", "1")
    assert digest() == found[0]


def test_a_file_that_is_written_after_the_beginning_has_no_digest(here: Path) -> None:
    write("data", "1")
    write("sql/1.sql")
    assert digest("import time; time.sleep(0.05); Path('data').write_text('1')") == "changed"
    time.sleep(0.05)
    assert digest() != "changed"
