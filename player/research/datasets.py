"""Data sets by name, as every experiment opens them, errors in one sentence."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypedDict

from player.config import Paths, Settings
from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.research.own_log import NAME, own_log
from player.storage.database import Database
from recommender.datasets.dataset import KINDS, Dataset, DatasetError, parse_columns, parse_name
from recommender.datasets.opening import open_dataset
from recommender.experiments.records import Record, fingerprint_of_dataset


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be opened.

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
    """What determines the data of an experiment besides their name, as its record keeps it."""

    columns: tuple[tuple[str, str], ...]
    limit: int | None
    music: str
    index: str
    frontend: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What opening needs: the listener's data, and where progress is told."""

    paths: Paths
    settings: Settings
    database: Database
    progress: Callable[[JobProgress], None]


class AsksAbout(Protocol):
    """The question of any experiment, as far as it names its data: a :class:`Source` in the words of a record."""

    @property
    def dataset(self) -> str: ...  # noqa: D102 - as in Source, like all of these
    @property
    def columns(self) -> tuple[tuple[str, str], ...]: ...  # noqa: D102
    @property
    def limit(self) -> int | None: ...  # noqa: D102
    @property
    def music(self) -> str: ...  # noqa: D102
    @property
    def index(self) -> str: ...  # noqa: D102
    @property
    def frontend(self) -> str: ...  # noqa: D102


def reopened(desk: Desk, record: Record, question: AsksAbout) -> Dataset:
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
    """What the options of a command mean, with whole paths, so that a record can be repeated from anywhere.

    Raises:
        UsageError: they do not name a data set.
    """
    if (music is None) != (index is None):
        raise UsageError("--music and --index go together: the folder of the audio, and the table of its files.")
    if dataset == NAME:
        if music is not None:
            raise UsageError("Your own log knows its audio: --music and --index are for other data sets.")
        if columns:
            raise UsageError("Your own log has its columns: --columns is for other data sets.")
        return Source(NAME, limit=limit)
    try:
        kind, path = parse_name(dataset)
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
    if wanted.dataset == NAME:
        return own_log(desk.database, wanted.limit)
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
    return dataset, replace(wanted, limit=len(dataset.log)) if wanted.dataset == NAME else wanted


def _with_log(sentence: str) -> str:
    """The player's own log is a data set too, which the readers of files cannot know."""
    kinds = ", ".join(KINDS)
    return sentence.replace(f"one of {kinds}", f"one of {kinds}, or just log").replace(
        f"there are {kinds}", f"there are {kinds}, and log"
    )
