"""What tags, near-duplicates and outliers are worth: the figures of ``docs/research/map.md``, from real music.

Needs the development data beside the repository: 240 tracks of four groups, and what people felt at hearing them. They
are scanned and embedded (some minutes), with a dozen of them encoded and changed in known ways, and with sounds that
are no music. The rules were chosen on these tracks, so all figures are their best case.
"""

import csv
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.sounds import CHANGES, no_music, read_stereo, write_changed, write_sound
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import ensure_weights
from player.folders import locate
from player.insight.neighbours import COMPONENTS, STRANGE, near_duplicates, robust_scores, strangeness
from player.library.embed import embed_pending
from player.library.scan import scan
from player.library.sound_tags import otsu, tag_threshold
from player.stations.collection import Collection, load_collection
from player.storage.database import open_database

SHARED = Path(__file__).resolve().parents[2] / "shared"
CHANGED = 12
"""Tracks that are encoded anew, evenly spread over the groups."""
COSINES = (0.97, 0.98, 0.99)
NEIGHBOURS = 5
THIRD = 2 / 3
"""The quantile from which on a track is among the third that felt most so."""

Mask = NDArray[np.bool_]
Column = NDArray[np.float32]
Rule = Callable[[Column], Mask]
"""For which tracks a tag holds, from its probabilities."""

GENRE_TAGS: Mapping[str, tuple[str, ...]] = {
    "rock": ("rock",),
    "alternative rock": ("rock",),
    "indie rock": ("rock",),
    "electronic": ("electronic",),
    "electronica": ("electronic",),
    "pop": ("pop",),
    "female vocalists": ("pop", "rock"),
    "instrumental": ("classical",),
}
"""The groups that a tag should hold for."""
MOOD_TAGS: Mapping[str, str] = {
    "Mellow": "tenderness",
    "beautiful": "tenderness",
    "sad": "sadness",
    "happy": "joyful_activation",
    "party": "power",
    "chill": "calmness",
}
"""What the third of the tracks that a tag should hold for was felt to be."""
OUT_OF_PLACE: Mapping[str, tuple[str, ...]] = {
    "classical": ("metal", "heavy metal", "hard rock", "punk", "Hip-Hop", "House", "dance", "party", "electro"),
    "electronic": ("metal", "heavy metal", "hard rock", "country", "folk", "blues"),
}
"""Tags that should hold for hardly any track of a group."""


@dataclass(frozen=True, slots=True)
class Material:
    """The music with what is known of it, row for row, and beside it what was made.

    Attributes:
        collection: everything.
        music: rows of the tracks as they came.
        groups: of these.
        feelings: (n,) mean answers by the feeling's name.
        changed: by the file's path, (the change, the row it was made of).
        strange: rows of what is no music.
    """

    collection: Collection
    music: NDArray[np.int64]
    groups: NDArray[np.str_]
    feelings: Mapping[str, NDArray[np.float64]]
    changed: Mapping[str, tuple[str, int]]
    strange: NDArray[np.int64]


def main() -> None:
    """Print all tables."""
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        material = _listen(Path(scratch))
    _tags(material)
    _duplicates(material)
    _outliers(material)


# --- the material


def _listen(scratch: Path) -> Material:
    """Make what is to be made, scan and embed it all."""
    with (SHARED / "music.csv").open(newline="") as file:
        known = {str(SHARED / "music" / row["path"]): row for row in csv.DictReader(file)}
    anew, strange = scratch / "anew", scratch / "strange"
    anew.mkdir()
    strange.mkdir()
    made: dict[str, tuple[str, str]] = {}
    paths = list(known)
    for number in range(CHANGED):
        source = paths[number * len(paths) // CHANGED]
        samples = read_stereo(Path(source))
        for change in CHANGES:
            stem = anew / f"{number:02} {change.replace('/', ' a ').replace('.', '')}"
            made[str(write_changed(samples, change, stem))] = change, source
    for name, sound in no_music().items():
        write_sound(strange / f"{name}.wav", sound)
    collection = embedded(scratch / "data", [SHARED / "music", anew, strange])
    row_of = {row.path: place for place, row in enumerate(collection.rows)}
    music = np.array([row_of[path] for path in paths], np.int64)
    return Material(
        collection=collection,
        music=music,
        groups=np.array([known[path]["group"] for path in paths]),
        feelings=_feelings([known[path]["track_id"] for path in paths]),
        changed={path: (change, row_of[source]) for path, (change, source) in made.items()},
        strange=np.array([row for path, row in row_of.items() if path.startswith(str(strange))], np.int64),
    )


def embedded(data: Path, folders: Sequence[Path]) -> Collection:
    """The music of these folders, scanned and embedded into a new data folder."""
    paths = locate(data)
    database = open_database(paths.database)
    try:
        scan(database, folders)
        weights = ensure_weights(frontend_spec(DEFAULT_FRONTEND).weights, named=None, cache=locate().cache)
        done = embed_pending(
            database, paths, frontend=DEFAULT_FRONTEND, weights=weights, workers=2, retry_failed=False,
            report=lambda _progress: None, should_stop=lambda: False, announce=print,
        )  # fmt: skip
        for path, error in done.failed:
            print(f"{path}: {error}")
        return load_collection(database)
    finally:
        database.close()


def _feelings(track_ids: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """The share of listeners that felt it, by feeling; empty where the answers are not there."""
    table = SHARED / "feedback" / "emotify" / "annotations.csv"
    if not table.is_file():
        return {}
    with table.open(newline="") as file:
        answers: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(file):
            answers.setdefault(row["track_id"], []).append(row)
    return {
        feeling: np.array([np.mean([float(row[feeling]) for row in answers[track]]) for track in track_ids], np.float64)
        for feeling in sorted(set(MOOD_TAGS.values()))
    }


# --- tags


def _rule_table() -> dict[str, Rule]:
    def share(least: float) -> Rule:
        return lambda column: column >= np.quantile(column, 1 - least)

    return {
        ".1": lambda column: column >= np.float32(0.1),
        ".1, and in the top tenth": lambda column: (column >= np.float32(0.1)) & share(0.1)(column),
        "the top tenth": share(0.1),
        "the top quarter": share(0.25),
        "the top third": share(1 / 3),
        "Otsu on p": lambda column: column >= _otsu(column, column.astype(np.float64)),
        "Otsu on √p": lambda column: column >= _otsu(column, np.sqrt(column, dtype=np.float64)),
        "Otsu on log p": lambda column: column >= _otsu(column, np.log(np.maximum(column, 1e-4), dtype=np.float64)),
        "as shipped": lambda column: column >= np.float32(tag_threshold(column)),
    }


def _otsu(column: Column, transformed: NDArray[np.float64]) -> np.float32:
    return np.sort(column)[otsu(np.sort(transformed))]


def _tags(material: Material) -> None:
    names = [name.casefold() for name in material.collection.tag_names]
    probabilities = material.collection.vectors.tags[material.music]
    columns = {name: probabilities[:, place] for place, name in enumerate(names)}
    truths = {tag: np.isin(material.groups, groups) for tag, groups in GENRE_TAGS.items()}
    genres = len(truths)
    for tag, feeling in MOOD_TAGS.items():
        if feeling in material.feelings:
            felt = material.feelings[feeling]
            truths[tag] = felt >= np.quantile(felt, THIRD)
    _print_ranks(material, columns)
    print(f"\n{'a tag holds from':26}    F1  genres  moods  precision  recall  out of place  metal")
    for name, rule in _rule_table().items():
        held = {tag: rule(column) for tag, column in columns.items()}
        scores = np.array([_precision_recall_f1(held[tag.casefold()], truth) for tag, truth in truths.items()])
        mean, f1 = scores.mean(axis=0), scores[:, 2]
        moods = f"{f1[genres:].mean():5.2f}" if len(f1) > genres else "    –"
        print(
            f"{name:26}  {mean[2]:.3f}  {f1[:genres].mean():6.2f}  {moods}  {mean[0]:9.2f}  {mean[1]:6.2f}"
            f"  {_out_of_place(held, material.groups):12.3f}  {np.count_nonzero(held['metal']):5}"
        )
    shipped = _rule_table()["as shipped"]
    print(f"\n{'tag, as shipped':26}  precision  recall  tracks of {len(material.music)}")
    for tag, truth in truths.items():
        held_by = shipped(columns[tag.casefold()])
        precision, recall, _ = _precision_recall_f1(held_by, truth)
        print(f"{tag:26}  {precision:9.2f}  {recall:6.2f}  {np.count_nonzero(held_by):6}")


def _print_ranks(material: Material, columns: Mapping[str, Column]) -> None:
    """Whether the order is right, whatever the threshold."""
    from scipy.stats import spearmanr  # noqa: PLC0415 - only here

    for tag, feeling in MOOD_TAGS.items():
        if feeling in material.feelings:
            rank, _ = spearmanr(columns[tag.casefold()], material.feelings[feeling])
            print(f"Spearman's ρ of {tag} and {feeling}: {rank:.2f}")


def _precision_recall_f1(held: Mask, truth: Mask) -> tuple[float, float, float]:
    right = np.count_nonzero(held & truth)
    if not right:
        return 0.0, 0.0, 0.0
    precision, recall = right / np.count_nonzero(held), right / np.count_nonzero(truth)
    return precision, recall, 2 * precision * recall / (precision + recall)


def _out_of_place(held: Mapping[str, Mask], groups: NDArray[np.str_]) -> float:
    """The mean share of a group's tracks for which a tag holds that does not belong there."""
    return float(
        np.mean([held[tag.casefold()][groups == group].mean() for group, tags in OUT_OF_PLACE.items() for tag in tags])
    )


# --- near-duplicates


def _duplicates(material: Material) -> None:
    rows, music = material.collection.rows, {material.collection.rows[row].path for row in material.music}
    pairs = near_duplicates(material.collection, min(COSINES))
    found = {change: [0] * len(COSINES) for change in CHANGES}
    others = [0] * len(COSINES)
    for pair in pairs:
        for place, cosine in enumerate(COSINES):
            if pair.similarity < cosine:
                continue
            others[place] += pair.a.path in music and pair.b.path in music
            for copy, original in ((pair.a, pair.b), (pair.b, pair.a)):
                change, row = material.changed.get(copy.path, ("", -1))
                if row >= 0 and rows[row].id == original.id:
                    found[change][place] += 1
    count = len(material.music)
    print(f"\n{f'of the same track ({CHANGED} each)':34}" + "".join(f"  at {cosine}" for cosine in COSINES))
    for change, counts in found.items():
        print(f"{change:34}" + "".join(f"{number:9}" for number in counts))
    print(f"{f'pairs of different files, of {count * (count - 1) // 2:,}':34}" + "".join(f"{n:9}" for n in others))
    for pair in pairs:
        if pair.similarity >= COSINES[1] and pair.a.path in music and pair.b.path in music:
            print(f"  {pair.similarity:.3f} {pair.a.artist} – {pair.a.title} | {pair.b.artist} – {pair.b.title}")


# --- outliers


def _outliers(material: Material) -> None:
    vectors = material.collection.vectors.vectors
    measures = {
        f"{COMPONENTS} components, as shipped": strangeness,
        f"{2 * COMPONENTS} components": lambda some: strangeness(some, 2 * COMPONENTS),
        f"{NEIGHBOURS} nearest neighbours": _far_from_neighbours,
    }
    count = len(material.strange)
    print(f"\n{f'{count} sounds that are no music':30}  mean share of music below  lowest  listed  music listed")
    for name, measure in measures.items():
        alone = {row: measure(vectors[[*material.music, row]]) for row in material.strange.tolist()}
        below = {row: float(np.mean(values[:-1] < values[-1])) for row, values in alone.items()}
        listed = sum(values[-1] >= STRANGE for values in alone.values())
        called = np.mean([np.count_nonzero(values[:-1] >= STRANGE) for values in alone.values()])
        lowest = min(below, key=lambda row: below[row])
        print(
            f"{name:30}  {np.mean(list(below.values())):25.3f}  {below[lowest]:6.2f}  {listed:3} of {count}"
            f"  {called:5.1f} of {len(material.music)}   (lowest: {material.collection.rows[lowest].title})"
        )
    together = strangeness(vectors[[*material.music, *material.strange]])[len(material.music) :]
    print(f"all {count} at once: {np.count_nonzero(together >= STRANGE)} listed")


def _far_from_neighbours(vectors: Column) -> NDArray[np.float64]:
    squares = (vectors.astype(np.float64) ** 2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2.0 * vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sqrt(np.maximum(np.sort(distances, axis=1)[:, :NEIGHBOURS], 0.0))
    return robust_scores(nearest.mean(axis=1))
