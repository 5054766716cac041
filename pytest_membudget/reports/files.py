"""Where reports are written: files whose folders are made as needed."""

from __future__ import annotations

from pathlib import Path


def write_text(path: str, text: str) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
