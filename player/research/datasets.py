"""Data sets by name, the listener's own log among them, opened and described with errors in one sentence."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from player.config import Paths, Settings
from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.learning.retraining import load_material
from player.research.listening import READERS, open_listening
from player.storage.database import Database
from recommender.datasets.dataset import KINDS, Dataset, DatasetError, parse_columns, parse_name
from recommender.datasets.opening import dataset_of, open_dataset
from recommender.datasets.stream import stream_dataset
from recommender.datasets.summary import statistics
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.records import Record, fingerprint_of_dataset
from recommender.experiments.runner import dataset_facts

if TYPE_CHECKING:
    from recommender.experiments.clep_experiment import ClepExperimentConfig
    from recommender.experiments.habits_comparison import HabitsConfig
    from recommender.experiments.p_hard_config import PHardConfig
    from recommender.experiments.run_config import ExperimentConfig

    AnyQuestion: TypeAlias = ExperimentConfig | PHardConfig | ClepExperimentConfig | HabitsConfig

OWN_LOG = "log"
"""Name of the player's own log where others are ``KIND:PATH``."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set to be opened.

    Attributes:
        dataset: ``KIND:PATH``, or ``log``.
        columns: (key, column) pairs.
        limit: rows to be read at most, or None.
        music, index: folder of the audio and table of which file is which track; both or neither.
        frontend: what makes vectors of the audio.
    """

    dataset: str
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    music: Path | None = None
    index: Path | None = None
    frontend: str = ""

    def words(self) -> "SourceWords":
        """The same as the question of an experiment has it, besides the name."""
        return {
            "columns": self.columns,
            "limit": self.limit,
            "music": str(self.music or ""),
            "index": str(self.index or ""),
            "frontend": self.frontend,
        }


class SourceWords(TypedDict):
    """The words that determine the data of an experiment besides their name, as its record keeps them."""

    columns: tuple[tuple[str, str], ...]
    limit: int | None
    music: str
    index: str
    frontend: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Needs of every experiment: the listener's data, and where progress is told."""

    paths: Paths
    settings: Settings
    database: Database
    progress: Callable[[JobProgress], None]


def reopened(desk: Desk, record: Record, question: "AnyQuestion") -> Dataset:
    """The data of a record, opened again as its question names them.

    Raises:
        PlayerError: they cannot be read, or are no longer those it was made on.
    """
    desk.progress(JobProgress("Reading"))
    dataset = open_source(
        desk,
        Source(
            question.dataset,
            question.columns,
            question.limit,
            Path(question.music) if question.music else None,
            Path(question.index) if question.index else None,
            question.frontend if question.music else "",
        ),
    )
    if fingerprint_of_dataset(dataset) != record.fingerprint:
        raise PlayerError(
            f"The data of experiment {record.id} ({question.dataset}) are no longer those it was made on: "
            "put them back to repeat it, or run the experiment anew."
        )
    return dataset


def source(
    dataset: str,
    columns: str = "",
    limit: int | None = None,
    music: Path | None = None,
    index: Path | None = None,
    frontend: str = "",
) -> Source:
    """The data set that the options of a command name, with whole paths, so that a record can be repeated from anywhere.

    Raises:
        UsageError: they do not name a data set.
    """
    if (music is None) != (index is None):
        raise UsageError("--music and --index go together: the folder of the audio, and the table of its files.")
    if dataset == OWN_LOG:
        if music is not None:
            raise UsageError("Your own log knows its audio: --music and --index are for other data sets.")
        if columns:
            raise UsageError("Your own log has its columns: --columns is for other data sets.")
        return Source(OWN_LOG, limit=limit)
    kind, _, where = dataset.partition(":")
    try:
        kind, path = (kind, Path(where).expanduser()) if kind in READERS and where.strip() else parse_name(dataset)
        pairs = parse_columns(columns)
    except DatasetError as error:
        raise UsageError(_with_log(str(error))) from error
    return Source(
        f"{kind}:{path.resolve()}",
        tuple(pairs.items()),
        limit,
        None if music is None else music.expanduser().resolve(),
        None if index is None else index.expanduser().resolve(),
        frontend if music is not None else "",
    )


def open_source(desk: Desk, wanted: Source) -> Dataset:
    """Read it, with vectors of the audio where that was asked for.

    Raises:
        PlayerError: it cannot be read.
    """
    if wanted.dataset == OWN_LOG:
        return own_log(desk.database, wanted.limit)
    kind, _, path = wanted.dataset.partition(":")
    if kind in READERS:
        return open_listening(kind, Path(path), wanted.dataset, dict(wanted.columns), wanted.limit)
    try:
        dataset = open_dataset(wanted.dataset, columns=dict(wanted.columns), limit=wanted.limit)
    except DatasetError as error:
        raise PlayerError(str(error)) from error
    if wanted.music is None or wanted.index is None:
        return dataset
    from player.research.audio_content import content_of  # noqa: PLC0415 - decoders are loaded only for audio

    return content_of(
        dataset,
        wanted.music,
        wanted.index,
        frontend=wanted.frontend,
        paths=desk.paths,
        settings=desk.settings,
        progress=desk.progress,
    )


def read(desk: Desk, wanted: Source) -> tuple[Dataset, Source]:
    """The data, and the source as it was read: of the player's own log, which grows, just the rows there were.

    Raises:
        PlayerError: they cannot be read.
    """
    desk.progress(JobProgress("Reading"))
    dataset = open_source(desk, wanted)
    return dataset, replace(wanted, limit=len(dataset.log)) if wanted.dataset == OWN_LOG else wanted


def _with_log(sentence: str) -> str:
    """The player's own log is a data set too, which the readers of files cannot know."""
    kinds, others = ", ".join(KINDS), ", ".join(READERS)
    return sentence.replace(f"one of {kinds}", f"one of {kinds}, {others}, or just log").replace(
        f"there are {kinds}", f"there are {kinds}, {others}, and log"
    )


def own_log(database: Database, limit: int | None = None) -> Dataset:
    """The whole history over the whole library, with the vectors of the tracks where they are embedded.

    Args:
        database: the listener's.
        limit: only so many of the oldest rows; what was logged later is left out.

    Raises:
        PlayerError: there is no like or no dislike in it.
    """
    material = load_material(database)
    log = material.log if limit is None else material.log.first(limit)
    if not log.positives or not log.negatives:
        raise PlayerError(
            f"Your own log holds {log.positives} likes and {log.negatives} dislikes, and an experiment compares the two: "
            "listen, skip and thumb some more, or name a data set with --dataset KIND:PATH."
        )
    collection = material.collection
    return dataset_of(
        log,
        name=OWN_LOG,
        listeners=("you",),
        tracks=tuple(f"{row.artist} – {row.title}" for row in collection.rows),
        content=material.catalogue.vectors if collection.embedded else None,
        artist=material.catalogue.artist,
    )


def describe(desk: Desk, wanted: Source) -> JsonObject:
    """Statistics, and how the reading went.

    Raises:
        PlayerError: it cannot be read.
    """
    desk.progress(JobProgress("Reading"))
    if wanted.dataset == OWN_LOG or wanted.dataset.partition(":")[0] in READERS:
        return dataset_facts(open_source(desk, wanted))
    try:
        stream = stream_dataset(wanted.dataset, columns=dict(wanted.columns), limit=wanted.limit)
        figures = statistics(stream)
    except DatasetError as error:
        raise PlayerError(str(error)) from error
    return json_object(
        {
            "name": wanted.dataset,
            "kind": stream.kind,
            "ordered": stream.ordered,
            **json_object(figures),
            "reading": stream.reading,
            "notes": stream.notes,
        }
    )
