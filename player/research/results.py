"""Records of runs as scripts read them, and two of them beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.experiments.json_values import (
    Json,
    JsonDifference,
    JsonObject,
    differences,
    is_object,
    number,
    objects,
    text,
)
from recommender.experiments.records import Record
from recommender.experiments.store import RunStore


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure in both runs; None where a run has none."""

    model: str
    metric: str
    first: float | None
    second: float | None

    @property
    def change(self) -> float | None:
        """Second minus first."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The differences of two runs.

    Attributes:
        same_data: whether both saw the same rows.
        configuration: what was asked differently.
        versions: other libraries.
        machine: another kind of machine.
        results: every result that is not equal to the last digit.
        figures: the means of both, where they have tables of figures.
    """

    same_data: bool
    configuration: tuple[JsonDifference, ...]
    versions: tuple[JsonDifference, ...]
    machine: tuple[JsonDifference, ...]
    results: tuple[JsonDifference, ...]
    figures: tuple[Beside, ...]

    @property
    def agree(self) -> bool:
        """True where every result is the same to the last digit."""
        return not self.results


def compare(first: Record, second: Record) -> RunComparison:
    """Lay two runs beside each other."""
    return RunComparison(
        same_data=first.fingerprint == second.fingerprint,
        configuration=tuple(differences(first.configuration, second.configuration)),
        versions=tuple(differences(first.versions, second.versions)),
        machine=tuple(differences(first.machine, second.machine)),
        results=tuple(differences(first.results, second.results)),
        figures=tuple(_beside(first.results, second.results)),
    )


def _beside(first: JsonObject, second: JsonObject) -> Sequence[Beside]:
    tables = [_table(first), _table(second)]
    cells = dict.fromkeys([*tables[0], *tables[1]])
    return [Beside(*cell, tables[0].get(cell), tables[1].get(cell)) for cell in cells]


def _table(results: JsonObject) -> dict[tuple[str, str], float | None]:
    rows = objects(results.get("results"))
    return {(text(row.get("model")), text(row.get("metric"))): number(row.get("mean")) for row in rows}


def document(record: Record, store: RunStore) -> dict[str, Json]:
    """One run with its results at the top level, as ``--json`` prints it."""
    return {
        **summary(record),
        "seconds": record.seconds,
        "configuration": record.configuration,
        "versions": record.versions,
        "machine": record.machine,
        "fingerprint": record.fingerprint,
        "dataset": record.dataset,
        **record.results,
        "figures": [str(store.figure_path(record, figure)) for figure in record.figures],
    }


def summary(record: Record) -> dict[str, Json]:
    """A run in a list."""
    name = record.configuration.get("dataset")
    conclusion = record.results.get("conclusion")
    return {
        "id": record.id,
        "kind": record.kind,
        "created": record.created,
        "finished": record.finished,
        "dataset_name": name if isinstance(name, str) else "",
        "events": record.dataset.get("events") if is_object(record.dataset) else None,
        "conclusion": conclusion if isinstance(conclusion, str) else "",
        "repeats": record.repeats or None,
    }
