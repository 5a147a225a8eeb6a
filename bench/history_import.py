"""Importing a generated Spotify history of 200,000 plays into a library of 10,000 tracks: time, memory, precision, recall.

The names are made of real words, so that they are as alike as names are. A play names its track as Spotify might: as it
is, with a remaster, a guest or an edition behind it, in other capitals, without accents, transliterated, with a typing
error, as a live version, with the album's artist in place of the credit. Two plays in five are of music that the library
does not hold: other titles of its artists, the same titles by other artists, titles one letter away from one it holds.
Since the history is generated, what every name means is known.
"""

import resource
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from bench.invented_history import Spelling, invent, write_history, write_library
from player.integrations.history_import import ImportReport, NameOutcome, import_history
from player.integrations.matching import Status
from player.storage.database import open_database

TRACKS, PLAYS = 10_000, 200_000


@dataclass(frozen=True)
class Run:
    """One import, in a process of its own."""

    report: ImportReport
    seconds: float
    before: float
    """MB held at most before it began."""
    peak: float


def run_import(folder: Path) -> Run:
    """Import the history in ``folder`` into its library."""
    database = open_database(folder / "player.db")
    before, started = _peak(), time.perf_counter()
    report = import_history(database, "spotify", folder / "history")
    run = Run(report, time.perf_counter() - started, before, _peak())
    database.close()
    return run


def main() -> None:
    """Print time, memory, and how right the matching is."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        songs, names = invent(TRACKS, seed=1)
        write_library(folder, songs).close()
        write_history(folder / "history", songs, names, PLAYS, np.random.default_rng(2))
        size = sum(file.stat().st_size for file in (folder / "history").iterdir())
        first, again = (_in_own_process(folder) for _ in range(2))
        for what, run in (("first import", first), ("again", again)):
            print(
                f"{what}: {run.seconds:.1f} s for {run.report.entries:,} plays ({size >> 20} MB of JSON) of"
                f" {len(run.report.outcomes):,} names over {len(songs):,} tracks; {run.report.recorded.events:,} events"
                f" recorded, {run.report.recorded.known:,} plays known before; memory {run.before:.0f} -> {run.peak:.0f} MB"
            )
        _print_quality(first.report.outcomes, names)


def _in_own_process(folder: Path) -> Run:
    """So that what was generated before does not count as memory of the import."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run_import, folder).result()


def _print_quality(outcomes: tuple[NameOutcome, ...], names: list[Spelling]) -> None:
    """Precision and recall over plays and over names, and by what was done to a name."""
    meant: dict[tuple[str, str, str], Spelling] = {(name.artist, name.title, name.album): name for name in names}
    plays, distinct = Counter[str](), Counter[str]()
    by_done: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        truth = meant[outcome.name.artist, outcome.name.title, outcome.name.album]
        verdict = _verdict(outcome, truth)
        plays[verdict] += outcome.entries
        distinct[verdict] += 1
        by_done.setdefault(truth.done, Counter())[verdict] += 1
    for what, counts in (("plays", plays), ("names", distinct)):
        print(
            f"by {what}: precision {_precision(counts):.4f}, recall {_recall(counts):.4f}, ambiguous {counts['ambiguous']:,}"
        )
    print(f"{'name':<14}{'right':>8}{'wrong':>8}{'ambig.':>8}{'missed':>8}{'left out':>10}")
    for done, counts in sorted(by_done.items()):
        cells = (counts[key] for key in ("right", "wrong", "ambiguous", "missed"))
        print(f"{done:<14}" + "".join(f"{cell:>8,}" for cell in cells) + f"{counts['rejected']:>10,}")


def _verdict(outcome: NameOutcome, truth: Spelling) -> str:
    status = outcome.match.status
    if status is Status.MATCHED:
        return "right" if outcome.match.tracks[0].id == truth.track else "wrong"
    if truth.track == 0:
        return "rejected"
    return "ambiguous" if status is Status.AMBIGUOUS else "missed"


def _precision(counts: Counter[str]) -> float:
    return counts["right"] / max(1, counts["right"] + counts["wrong"])


def _recall(counts: Counter[str]) -> float:
    return counts["right"] / max(1, counts["right"] + counts["missed"] + counts["ambiguous"] + counts["wrong"])


def _peak() -> float:
    """MB this process held at most so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not what getrusage says: a child inherits that from the parent it was forked off.
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**10
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
