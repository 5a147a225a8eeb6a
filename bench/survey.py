"""What a survey is worth to a first station: how much of its first 20 tracks a simulated listener likes after 0, 30, 60 answers.

Twelve tastes over 240 real tracks: each pair of the four groups of the development library, and six pairs of tags as musicnn
hears them. A listener answers what the real survey asks, in the real log, wrongly now and then, and then begins a station; of a
station of the whole library, chance is what the taste likes of it. Tracks that were asked about are left out of the count. The
listeners are simulated, and their tastes are plainer than anyone's; nothing here says how much a person gains.

Needs the development data beside the repository, which is scanned and embedded first (a minute or two).
"""

import csv
import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.library_insight import SHARED, embedded
from player.config import StationSettings
from player.feedback.event_history import load_history
from player.folders import locate
from player.stations.collection import Collection
from player.stations.seeds import Seed
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo
from player.storage.database import open_database
from player.survey.session import plan_of
from player.survey.survey import Survey, SurveyPlan
from player.survey.view import Answer
from recommender.evaluation.bootstrap import RESAMPLES, Interval, interval, resampled_means

ANSWERED = (0, 10, 30, 60)
PLACES = 20
LISTENERS = 3
"""A taste: each errs, and has a station with noise, of its own."""
WRONG, UNSURE = 0.1, 0.1
"""How often a listener presses the wrong key, and how often they skip."""
TAG_TASTES = (
    ("classical", "ambient"), ("rock", "metal"), ("electronic", "dance"),
    ("folk", "acoustic"), ("female vocalists", "pop"), ("jazz", "blues"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taste:
    """What a kind of listener likes: (n,) bool over the library's rows."""

    name: str
    likes: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Heard:
    """The first places of a station, of tracks that were not asked about.

    Attributes:
        liked: share that the listener likes.
        of_seed: share from the group of the station's seed; NaN for the whole library.
    """

    liked: float
    of_seed: float


def main() -> None:
    """Print the tables."""
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return
    with (SHARED / "music.csv").open(newline="") as file:
        group_of = {str(SHARED / "music" / row["path"]): row["group"] for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "data"
        collection = embedded(home, [SHARED / "music"])
        report(home, collection, np.array([group_of[row.path] for row in collection.rows]))


def report(home: Path, collection: Collection, groups: NDArray[np.str_]) -> None:
    """Let all listeners answer, and print what their stations play.

    Args:
        home: data folder of the scanned and embedded library, without a history.
        collection: that library.
        groups: (n,) of its tracks.
    """
    plan = plan_of(collection)
    tastes = _tastes(collection, groups)
    library = np.empty((len(tastes), len(ANSWERED)))
    seeded = np.empty((len(tastes), len(ANSWERED), 2))
    for number, taste in enumerate(tastes):
        runs = [_listen(home, collection, groups, plan, taste, 100 * number + one) for one in range(LISTENERS)]
        library[number] = np.mean([[whole.liked for whole, _ in run] for run in runs], axis=0)
        seeded[number] = np.mean([[(near.liked, near.of_seed) for _, near in run] for run in runs], axis=0)
        shares = "  ".join(f"{value:.2f}" for value in library[number])
        print(f"{taste.name:<28} likes {taste.likes.mean():.2f} of the library; of its first {PLACES}: {shares}")
    print(f"\n{len(tastes)} tastes, {LISTENERS} listeners each; intervals over tastes (95 %, bootstrap)")
    _table("a station of the whole library: liked", library)
    _table("a station from one liked track: liked", seeded[:, :, 0])
    _table("the same: of the group of that track", seeded[:, :, 1])


def _tastes(collection: Collection, groups: NDArray[np.str_]) -> list[Taste]:
    pairs = itertools.combinations(sorted(set(groups.tolist())), 2)
    heard = collection.heard
    return [
        *(Taste(f"{a}, {b}", (groups == a) | (groups == b)) for a, b in pairs),
        *(Taste(f"tags {a}, {b}", heard.holding(a) | heard.holding(b)) for a, b in TAG_TASTES),
    ]


def _listen(
    home: Path, collection: Collection, groups: NDArray[np.str_], plan: SurveyPlan, taste: Taste, seed: int
) -> list[tuple[Heard, Heard]]:
    """One listener: for each number of answers, a new station of the whole library and one from a track they like."""
    rng = np.random.default_rng(seed)
    noise, seed_row = int(rng.integers(2**60)), int(rng.choice(np.flatnonzero(taste.likes)))
    near = Seed("track", str(collection.rows[seed_row].id))
    heard: list[tuple[Heard, Heard]] = []
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(home, Path(scratch) / "data")
        database = open_database(locate(Path(scratch) / "data").database)
        survey = Survey(database, plan, max(ANSWERED))
        for answered in ANSWERED:
            while len(survey.answers.given) < answered and (clip := survey.next()) is not None:
                row = collection.index[clip.track.id]
                survey.answer(_answer(bool(taste.likes[row]), rng), clip.track.id)
            asked = [collection.index[track] for track in survey.answers.given]
            history = load_history(database, collection.rows)
            listening = Listening(history.state, history.labels, now=0.0)
            pair = [
                _first(collection, listening, StationInfo(1, "new", noise, (one,)), asked)
                for one in (Seed("library"), near)
            ]
            heard.append(
                (
                    Heard(float(taste.likes[pair[0]].mean()), float("nan")),
                    Heard(float(taste.likes[pair[1]].mean()), float((groups[pair[1]] == groups[seed_row]).mean())),
                )
            )
        database.close()
    return heard


def _answer(likes: bool, rng: np.random.Generator) -> Answer:  # noqa: FBT001 - the truth about one track
    if rng.random() < UNSURE:
        return "skip"
    return "like" if likes != (rng.random() < WRONG) else "dislike"


def _first(collection: Collection, listening: Listening, station: StationInfo, asked: Sequence[int]) -> list[int]:
    """Rows of the first tracks that the station plays and the survey did not ask about."""
    scorer = StationScorer(collection, [station], station, None)
    queue = rank_station(scorer, listening, StationSettings(), PLACES + len(asked))
    return [row for row in queue.track_rows if row not in set(asked)][:PLACES]


def _table(title: str, values: NDArray[np.float64]) -> None:
    print(title)
    means = resampled_means(values, RESAMPLES, seed=0)
    gains = resampled_means(values - values[:, :1], RESAMPLES, seed=0)
    for column, answered in enumerate(ANSWERED):
        share = _words(interval(float(values[:, column].mean()), means[:, column]))
        gain = _words(interval(float((values[:, column] - values[:, 0]).mean()), gains[:, column]))
        print(f"  {answered:>3} answers  {share}" + (f"   more than without: {gain}" if answered else ""))


def _words(figure: Interval) -> str:
    bounds = "" if figure.low is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.mean:.2f}{bounds}"
