"""Chromium, to look at a page as its reader does: what is in it, how wide it is, what it logs."""

from __future__ import annotations

import html
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from machine import NEEDS

# Chromium's own window is never narrower than 500 pixels, a frame in it may be; what a page is told
# that its reader prefers is the color scheme of its frame.
_FRAME = (
    '<iframe srcdoc="{page}" style="width: {width}px; height: 6000px; color-scheme: {scheme}; '
    'border: 0; display: block"></iframe>'
)
_HARNESS = """<!doctype html>
<body style="margin: 0">{frames}<pre id="seen"></pre>
<script>
const seen = (frame) => {{
  const page = frame.contentDocument, view = frame.contentWindow;
  const canvas = page.querySelector("canvas[data-kind=growth]");
  const chart = canvas && view.Chart.getChart(canvas);
  const hovered = (chart ? [0, 1] : []).map((number) => {{
    const last = chart.data.datasets[number].data.length - 1;
    chart.tooltip.setActiveElements([{{ datasetIndex: number, index: last }}], {{ x: 0, y: 0 }});
    return [...chart.tooltip.title, ...chart.tooltip.body.flatMap((part) => part.lines)];
  }});
  const drawn = [...page.querySelectorAll("canvas")].filter((one) => view.Chart.getChart(one));
  return {{
    width: page.documentElement.scrollWidth,
    text: page.body.innerText,
    charts: drawn.length,
    background: view.getComputedStyle(page.body).backgroundColor,
    hovered,
  }};
}};
window.addEventListener("load", () => {{
  const frames = [...document.querySelectorAll("iframe")];
  for (const frame of frames)
    for (const one of frame.contentDocument.querySelectorAll("details")) one.open = true;
  setTimeout(() => {{
    document.getElementById("seen").textContent = JSON.stringify(frames.map(seen));
  }}, 200);
}});
</script>"""


@dataclass(frozen=True)
class View:
    """A page as a reader has it: how wide the window is, in pixels, and how it is lit."""

    page: Path
    width: int
    scheme: str = "light"


@dataclass(frozen=True)
class Seen:
    """``width`` is how wide the page wants to be, in pixels."""

    width: int
    text: str
    charts: int
    background: str
    hovered: list[list[str]]


def look_at(*views: View) -> tuple[list[Seen], list[str]]:
    """Open pages, each in a frame with all of its details unfolded, and what all of them logged."""
    frames = (
        _FRAME.format(page=html.escape(one.page.read_text()), width=one.width, scheme=one.scheme)
        for one in views
    )
    harness = views[0].page.with_name("harness.html")
    harness.write_text(_HARNESS.format(frames="\n".join(frames)))
    done = _run("--virtual-time-budget=5000", "--dump-dom", harness.as_uri())
    found = re.search('<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    seen = [Seen(**one) for one in json.loads(html.unescape(found[1]))]
    return seen, re.findall(".*CONSOLE.*", done.stderr)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = NEEDS["browser"].program
    assert program is not None, "the test has no mark: @pytest.mark.browser"
    fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    logging = ["--enable-logging=stderr", "--v=0"]
    return subprocess.run(
        [program, *fixed, *logging, "--window-size=1400,6000", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
