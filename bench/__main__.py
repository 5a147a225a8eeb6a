"""Run the benchmarks: all of them, or those named (``python -m bench rerank start``)."""

import sys

from bench import (
    datasets,
    embed,
    evaluation,
    history_import,
    library_insight,
    rerank,
    retrain,
    scan,
    simulation,
    start,
    station,
    survey,
)
from bench.embeddings import quality, speed

BENCHMARKS = {
    "start": start.main,
    "scan": scan.main,
    "rerank": rerank.main,
    "retrain": retrain.main,
    "embed": embed.main,
    "station": station.main,
    "simulation": simulation.main,
    "survey": survey.main,
    "insight": library_insight.main,
    "datasets": datasets.main,
    "evaluation": evaluation.main,
    "import": history_import.main,
    "embed-speed": speed.main,
    "embed-quality": quality.main,
}


def main() -> None:
    """Run what was asked for."""
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"There is no benchmark {name}; there are: {', '.join(BENCHMARKS)}.")
        print(f"\n== {name}")
        BENCHMARKS[name]()


main()
