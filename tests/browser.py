"""Chromium, to look at a page as its reader does: what is in it, how wide it is, what it logs."""

from __future__ import annotations

import html
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import NEEDS

# Chromium's own window is never narrower than 500 pixels, a frame in it may be.
_HARNESS = """<!doctype html>
<body style="margin: 0"><iframe srcdoc="{page}" style="width: {width}px; height: 6000px; border: 0">
</iframe><pre id="seen"></pre>
<script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {{
  const page = frame.contentDocument, view = frame.contentWindow;
  for (const one of page.querySelectorAll("details")) one.open = true;
  setTimeout(() => {{
    const canvas = page.querySelector("canvas[data-kind=growth]");
    const chart = canvas && view.Chart.getChart(canvas);
    const hovered = (chart ? [0, 1] : []).map((number) => {{
      const last = chart.data.datasets[number].data.length - 1;
      chart.tooltip.setActiveElements([{{ datasetIndex: number, index: last }}], {{ x: 0, y: 0 }});
      return [...chart.tooltip.title, ...chart.tooltip.body.flatMap((part) => part.lines)];
    }});
    const drawn = [...page.querySelectorAll("canvas")].filter((one) => view.Chart.getChart(one));
    document.getElementById("seen").textContent = JSON.stringify({{
      width: page.documentElement.scrollWidth,
      text: page.body.innerText,
      charts: drawn.length,
      background: view.getComputedStyle(page.body).backgroundColor,
      hovered,
    }});
  }}, 200);
}});
</script>"""


@dataclass(frozen=True)
class Seen:
    """``width`` is how wide the page wants to be, in pixels; ``console`` what it logged."""

    width: int
    text: str
    charts: int
    background: str
    hovered: list[list[str]]
    console: list[str]


def look_at(page: Path, width: int, *, dark: bool = False) -> Seen:
    """Open a page in a frame of ``width`` pixels, with all of its details unfolded."""
    harness = page.with_name(f"harness-{width}.html")
    harness.write_text(_HARNESS.format(page=html.escape(page.read_text()), width=width))
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    done = _run("--virtual-time-budget=5000", scheme, "--dump-dom", harness.as_uri())
    found = re.search('<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return Seen(**seen, console=re.findall(".*CONSOLE.*", done.stderr))


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
