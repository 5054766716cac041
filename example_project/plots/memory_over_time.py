"""Draw the memory of each ``documents`` migration over time, as one picture.

    pytest tests/test_documents.py --membudget-json results.json
    python plots/memory_over_time.py results.json memory.svg

Needs matplotlib.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

MIB = 1024**2


def largest_sample(result):
    samples = [sample for sample in result["samples"] if sample.get("timeline")]
    return max(samples, key=lambda sample: sum(sample["rows"].values()), default=None)


def draw(results, output):
    figure, axes = plt.subplots(figsize=(9, 5))
    for result in sorted(results, key=lambda result: result["migration"]):
        sample = largest_sample(result)
        if sample is None:
            continue
        seconds, rss = zip(*sample["timeline"], strict=True)
        # A form that is over stops early, at fewer rows: the label has to say at how many.
        label = f"{result['migration']} ({sum(sample['rows'].values()):,} rows)"
        axes.plot(seconds, [size / MIB for size in rss], label=label)
    for limit in {result["limit_bytes"] for result in results}:
        axes.axhline(limit / MIB, color="black", linestyle="--", linewidth=1)
        axes.annotate(f"limit {limit // MIB} MiB", (0, limit / MIB), va="bottom")
    axes.set(xlabel="seconds", ylabel="resident memory in MiB")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="the file written by --membudget-json")
    parser.add_argument("output", type=Path, help="the picture: .svg or .png")
    parser.add_argument("--app", default="documents", help="whose migrations (%(default)s)")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())["results"]
    results = [r for r in results if r["migration"].startswith(f"{options.app}.")]
    if not results:
        parser.error(f"{options.results} holds no result of a {options.app} migration.")
    draw(results, options.output)


if __name__ == "__main__":
    main()
