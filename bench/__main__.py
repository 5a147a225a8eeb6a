"""Run the benchmarks: all of them, those named (``python -m bench scan start``), or one of a group (``… station rerank``)."""

import sys

from bench import (
    datasets,
    embed,
    evaluation,
    history_import,
    interaction,
    library_insight,
    retrain,
    scan,
    startup,
    station,
    survey,
)
from bench.embeddings import quality, speed
from bench.simulation import scenes as simulation
from bench.training import peers, scale

BENCHMARKS = {
    "startup": startup.main,
    "scan": scan.main,
    "interaction": interaction.main,
    "retrain": retrain.main,
    "embed": embed.main,
    "station": station.main,
    "simulation": simulation.main,
    "survey": survey.main,
    "insight": library_insight.main,
    "datasets": datasets.main,
    "evaluation": evaluation.main,
    "import": history_import.main,
    "training": peers.main,
    "training-scale": scale.main,
    "embed-speed": speed.main,
    "embed-quality": quality.main,
}


def main() -> None:
    """Run what was asked for."""
    groups = {"station": station.main, "training": peers.main}
    if sys.argv[1:2] and sys.argv[1] in groups:
        groups[sys.argv[1]](sys.argv[2:])
        return
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"There is no benchmark {name}; there are: {', '.join(BENCHMARKS)}.")
        print(f"\n== {name}")
        BENCHMARKS[name]()


main()
