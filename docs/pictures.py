"""Make the pictures of the documentation from the real reports of the example project.

    python docs/pictures.py [results.json]

Without results the example project is measured, which takes some minutes.  Needs Chromium.
"""

from __future__ import annotations

import argparse
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pytest_membudget.reports import cells
from pytest_membudget.reports.document import merge, read_document
from pytest_membudget.reports.html import write_html

PICTURES = Path(__file__).parent / "pictures"
EXAMPLE = Path(__file__).parent.parent / "example_project"
SHOWN = "parcels.0002_bulk_update"
TERMINAL = ["tests/test_parcels.py", "-k", "test_bulk_update", "--no-header", "--color=yes"]

# Chromium's window is never narrower than this, so a narrower page is enlarged to fill it.
LEAST_WINDOW = 500
FRAME = """<!doctype html>
<body style="margin: 0; overflow: hidden"><iframe srcdoc="{page}" style="border: 0;
width: {width}px; height: {height}px; transform: scale({scale}); transform-origin: 0 0"></iframe>
<pre></pre>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {{
  const shown = frame.contentDocument.querySelector(".result[open]").getBoundingClientRect();
  document.querySelector("pre").textContent = Math.ceil(shown.bottom) + 8;
}}, 200);
</script>"""


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", help="a file that --membudget-json wrote")
    given = parser.parse_args().results
    with tempfile.TemporaryDirectory() as folder:
        path = given or str(Path(folder, "results.json"))
        if given is None:
            run_example("--membudget-json", path)
        document = read_document(path)
        results = cells.by_headroom(merge([document]))
        few = [one for one in results if one.migration.startswith("parcels.")]
        page = Path(folder, "page.html")
        for name, chosen, width, dark in (
            ("report.png", results, 1280, False),
            ("report-dark-390.png", few, 390, True),
        ):
            write_html(chosen, str(page), [document.environment])
            page.write_text(with_one_open(page.read_text()))
            photograph(page, PICTURES / name, width, dark=dark)
    save_terminal(run_example("--runxfail", *TERMINAL), PICTURES / "terminal.svg")


def run_example(*arguments: str) -> str:
    """What a run of the example project prints; some of its tests may fail."""
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", *arguments]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, cwd=EXAMPLE, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout


def with_one_open(text: str) -> str:
    """The page with the migration unfolded that the picture is of, and no other."""
    text = re.sub(r'(<details class="result" id="result-\d+") open>', r"\1>", text)
    sections = re.split(r'(?=<details class="result")', text)
    return "".join(
        section.replace(">", " open>", 1) if f"{SHOWN} would" in section else section
        for section in sections
    )


def photograph(page: Path, picture: Path, width: int, *, dark: bool) -> None:
    """Show a page at ``width`` pixels down to the end of what is unfolded, and keep that."""
    scale = max(1.0, LEAST_WINDOW / width)
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    frame = page.with_name("frame.html")

    def chromium(height: int, *arguments: str) -> str:
        text = html.escape(page.read_text())
        frame.write_text(FRAME.format(page=text, width=width, height=height, scale=scale))
        size = f"--window-size={round(width * scale)},{round(height * scale)}"
        program = shutil.which("chromium") or "google-chrome"
        fixed = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=5000"]
        return subprocess.run(
            [program, *fixed, scheme, size, *arguments, frame.as_uri()],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        ).stdout

    found = re.search(r"<pre>(\d+)</pre>", chromium(600, "--dump-dom"))
    assert found, "the page was not shown"
    chromium(int(found[1]), f"--screenshot={picture}", "--force-device-scale-factor=1.25")


def save_terminal(output: str, picture: Path) -> None:
    console = Console(record=True, width=100, file=io.StringIO())
    text = Text.from_ansi(output)
    # No font has Braille as wide as its letters; what has a colour of its own stands at its place.
    text.highlight_regex("[\u2800-\u28ff]+", "#c5c8c6")
    console.print(text)
    console.save_svg(str(picture), title="pytest")


if __name__ == "__main__":
    main()
