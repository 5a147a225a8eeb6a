"""The record of a run: what it was asked, on what, with what, and what came of it; written as JSON, read as untrusted."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, TypeAdapter, ValidationError

from recommender.experiments.json_values import JsonObject

FORMAT = 1
"""Raised whenever a record changes its meaning; other formats are refused."""
ID_PATTERN = re.compile(r"[0-9a-f]{8}")
"""An id becomes a folder's name; eight hexadecimal digits are short to type and rarely meet."""
MOST_BYTES = 64 << 20
"""A record larger than this is none of ours."""


class ExperimentError(Exception):
    """A run that cannot be made, found or read; the message is one sentence that says what, where and the mend."""


Configuration = TypeVar("Configuration")


def configuration_as(kind: type[Configuration], document: JsonObject) -> Configuration:
    """Read the configuration of a record as the question of one kind of experiment, trusting nothing.

    Raises:
        ExperimentError: it is none.
    """
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ExperimentError(
            f"The configuration of the experiment cannot be used ({where}: {first['msg']})."
        ) from None


@dataclass(frozen=True, slots=True)
class FigureFile:
    """A picture that belongs to a run: its title, and the file in the run's folder."""

    title: str
    file: str


@dataclass(frozen=True, slots=True)
class Record:
    """One run.

    Attributes:
        id: eight hexadecimal digits.
        kind: which experiment.
        created: ISO 8601 in UTC.
        finished: whether all of it was computed; until then the same command goes on with it.
        configuration: everything that determines the results besides the data.
        fingerprint: SHA-256 of the data as read.
        dataset: facts about the data.
        versions: of Python and the libraries.
        machine: what kind of machine.
        seconds: how long it computed, interruptions not counted.
        results: the figures; the same configuration, data and versions give the same to the last digit.
        figures: pictures.
        repeats: the run that this one repeats, or empty.
    """

    id: str
    kind: str
    created: str
    finished: bool
    configuration: JsonObject
    fingerprint: str
    dataset: JsonObject
    versions: JsonObject
    machine: JsonObject
    seconds: float
    results: JsonObject
    figures: tuple[FigureFile, ...] = ()
    repeats: str = ""


_Id = Annotated[str, StringConstraints(pattern=rf"^{ID_PATTERN.pattern}$")]
_FigureName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.png$")]
"""Only a plain name: a record never points outside its own folder."""
_Object = dict[str, JsonValue]


class _Figure(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    file: _FigureName


class _Document(BaseModel):
    """A record as it must stand in the file."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    format: int
    id: _Id
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
    created: str
    finished: bool
    configuration: _Object
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    dataset: _Object
    versions: _Object
    machine: _Object
    seconds: Annotated[float, Field(ge=0)]
    results: _Object
    figures: list[_Figure]
    repeats: _Id | Annotated[str, StringConstraints(max_length=0)]


def record_to_json(record: Record) -> bytes:
    """The record as a JSON document; raises ValueError for a number that is not finite."""
    document = {"format": FORMAT, **asdict(record)}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def record_from_json(content: bytes) -> Record:
    """Read what :func:`record_to_json` wrote, trusting nothing.

    Raises:
        ValueError: when it is no record of this format; the message says what is wrong in a few words.
    """
    try:
        read = _Document.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if read.format != FORMAT:
        raise ValueError(f"it has format {read.format}, not {FORMAT}")
    return Record(
        id=read.id,
        kind=read.kind,
        created=read.created,
        finished=read.finished,
        configuration=read.configuration,
        fingerprint=read.fingerprint,
        dataset=read.dataset,
        versions=read.versions,
        machine=read.machine,
        seconds=read.seconds,
        results=read.results,
        figures=tuple(FigureFile(each.title, each.file) for each in read.figures),
        repeats=read.repeats,
    )
