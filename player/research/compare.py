"""Two runs beside each other: what was asked differently, and what came out differently."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.experiments.json_values import JsonDifference, JsonObject, differences, number, objects, text
from recommender.experiments.records import Record


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
class Comparison:
    """How two runs differ.

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
        """Whether every result is the same to the last digit."""
        return not self.results


def compare(first: Record, second: Record) -> Comparison:
    """Lay two runs beside each other."""
    return Comparison(
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
