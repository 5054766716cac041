"""What the plugin costs a project that never uses it: pytest with and without it, in turn.

python benchmarks/startup.py [--rounds 20]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

PLAIN = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider"]


def seconds(arguments: list[str], folder: str) -> float:
    begin = time.perf_counter()
    subprocess.run([*PLAIN, *arguments], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_plain.py").write_text("def test_plain(): pass\n")
        without, with_it = ["-p", "no:membudget"], ["-p", "no:nothing"]
        seconds(without, folder), seconds(with_it, folder)
        pairs = [(seconds(without, folder), seconds(with_it, folder)) for _ in range(rounds)]
    before, after = (statistics.median(column) for column in zip(*pairs, strict=True))
    extra = statistics.median(b - a for a, b in pairs)
    print(f"without {before * 1000:.0f} ms, with {after * 1000:.0f} ms (medians of {rounds})")
    print(f"the plugin costs {extra * 1000:.1f} ms, {extra / before:.1%}")


if __name__ == "__main__":
    main()
