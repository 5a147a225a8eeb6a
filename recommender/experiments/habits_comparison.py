"""Habits of people compared: on each person's log what they will hear out is foretold, and over persons the models are tested.

A person's plays are divided in time: the first 80 % are learned from, the others foretold one by one, each at its moment of
decision, with all that happened before it known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.datasets.dataset import Dataset
from recommender.experiments.json_values import json_object
from recommender.experiments.measurements import ResultRow
from recommender.experiments.records import ExperimentError, Record, fingerprint_of_dataset
from recommender.experiments.run_config import DataConfig
from recommender.experiments.runner import dataset_facts
from recommender.experiments.store import Finding, RunStore, Workspace, conduct
from recommender.habits.features import walk
from recommender.habits.linear import Linear, shipped_prior
from recommender.habits.measures import METRICS, HabitFigure, bounds, measures
from recommender.habits.models import ABLATIONS, KNOWN, MODELS, PLAYER, HabitMaterial
from recommender.habits.plays import Plays

KIND = "habits"
PAST_SHARE = 0.8
FEWEST_JUDGED = 20
"""Plays with a verdict, in the past and in the test, of a person that is measured."""
Floats = NDArray[np.float64]
Report = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitsConfig(DataConfig):
    """The question: which models, besides the data."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One person's figures."""

    name: str
    plays: int
    sessions: int
    results: tuple[ResultRow, ...]

    def figure(self, model: str, metric: str) -> float:
        """NaN where it was not measured."""
        found = (row.mean for row in self.results if (row.model, row.metric) == (model, metric))
        return next(found, np.nan)


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One figure over persons.

    Attributes:
        median: over persons.
        low, high: 95 % of its bootstrap over persons.
        wilcoxon_p: two-sided, of the player's differences from this model over persons; None of the player itself.
        sign_p: the same by their signs alone.
        ahead: persons of whom the player is the better one.
        persons: that have the figure.
    """

    model: str
    metric: str
    median: float | None
    low: float | None
    high: float | None
    wilcoxon_p: float | None
    sign_p: float | None
    ahead: int | None
    persons: int


def model_names(text: str) -> tuple[str, ...]:
    """The models that a text names: ``all``, ``ablations``, or names with commas between; ExperimentError for none."""
    groups: Mapping[str, Sequence[str]] = {"all": tuple(MODELS), "ablations": (PLAYER, *ABLATIONS)}
    names = [name for part in text.split(",") for name in groups.get(part.strip(), (part.strip(),)) if name]
    unknown = next((name for name in names if name not in KNOWN), None)
    if unknown is not None or not names:
        what = f"There is no model {unknown!r} for plays" if unknown else "No model is named"
        raise ExperimentError(f"{what}; choose from {', '.join((*groups, *KNOWN))}.")
    return tuple(dict.fromkeys(names))


def compare_habits(
    store: RunStore,
    dataset: Dataset,
    config: HabitsConfig,
    on_progress: Report,
    *,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Measure the models on one listener's plays and keep the record; arguments as in ``compare_models``."""

    def study(_workspace: Workspace) -> Finding:
        assert dataset.plays is not None
        person = measure_person(
            dataset.name, dataset.plays, config.models, len(config.seeds), shipped_prior(), on_progress
        )
        best = max(person.results, key=lambda row: (row.metric == METRICS[0], np.nan_to_num(row.mean)))
        results = {
            "results": person.results,
            "sessions": person.sessions,
            "conclusion": f"Highest pair AUC within a session: {best.model}, {best.mean:.3f}.",
            "notes": NOTES,
        }
        return Finding(json_object(results), dataset_facts(dataset))

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, KIND, json_object(config), fingerprint, study, resume=resume, repeats=repeats)


NOTES = (
    "The first 80 % of the plays are learned from, each other one is foretold with all plays before it known.",
    (
        "auc_session is the mean over sessions of the pair AUC within one, auc that over all plays; first and repeat are within "
        "sessions, of first hearings and of later ones."
    ),
)


def measure_person(
    name: str, plays: Plays, models: Sequence[str], seeds: int, prior: Linear, on_progress: Report
) -> Person:
    """Measure models on one person's plays.

    Args:
        name: of the person.
        plays: theirs.
        models: names of :data:`recommender.habits.models.KNOWN`.
        seeds: over how many a model that draws random numbers is averaged.
        prior: weights of other people.
        on_progress: told while reading and after each model.

    Raises:
        ExperimentError: there are too few plays with a verdict.
    """
    past = np.arange(len(plays)) < round(PAST_SHARE * len(plays))
    for part, where in ((past, "first 80 %"), (~past, "last 20 %")):
        out, skipped = (int(np.count_nonzero(plays.verdict[part] == side)) for side in (1, -1))
        if out + skipped < FEWEST_JUDGED or not out or not skipped:
            raise ExperimentError(
                f"{name}: the {where} of the plays hold {out} heard out and {skipped} skipped, and {FEWEST_JUDGED} with some of "
                "either kind are needed; name a longer history, or one that tells how long each play was heard."
            )
    total = len(plays)
    with threadpool_limits(1):
        table = walk(plays, lambda done: on_progress("Walking through the plays", done, total))
        material, first = HabitMaterial(plays, table, past), plays.first
        rows: list[ResultRow] = []
        for place, model in enumerate(models):
            on_progress(f"Measuring {model}", place, len(models))
            entry = KNOWN[model]
            count = seeds if entry.seeded else 1
            found = [measures(entry.score(material, prior, seed), plays, ~past, first) for seed in range(count)]
            rows += [_row(model, metric, [each[metric] for each in found]) for metric in METRICS]
    return Person(name, len(plays), plays.sessions, tuple(rows))


def _row(model: str, metric: str, found: Sequence[HabitFigure]) -> ResultRow:
    """The mean over seeds, with the mean bounds."""
    low, high = (_mean([each.low for each in found]), _mean([each.high for each in found]))
    return ResultRow(model, metric, float(np.mean([each.mean for each in found])), low, high, len(found))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def summarise(people: Sequence[Person], models: Sequence[str]) -> list[SummaryRow]:
    """Every figure of every model over persons, and how sure the player's lead is."""
    return [_summary(people, model, metric) for model in models for metric in METRICS]


def _summary(people: Sequence[Person], model: str, metric: str) -> SummaryRow:
    own = np.array([person.figure(model, metric) for person in people])
    player = np.array([person.figure(PLAYER, metric) for person in people])
    known = own[np.isfinite(own)]
    if not len(known):
        return SummaryRow(model, metric, None, None, None, None, None, None, 0)
    low, high = bounds(known, lambda drawn: np.median(drawn, axis=1))
    lead = player - own
    lead = lead[np.isfinite(lead)]
    tested = model != PLAYER and len(lead) > 0
    wilcoxon, sign = _tests(lead) if tested else (None, None)
    ahead = int(np.count_nonzero(lead > 0)) if tested else None
    return SummaryRow(model, metric, float(np.median(known)), low, high, wilcoxon, sign, ahead, len(known))


def _tests(lead: Floats) -> tuple[float, float]:
    """Two-sided p of Wilcoxon's signed ranks and of the sign test; 1 without any difference."""
    from scipy.stats import binomtest, wilcoxon  # noqa: PLC0415 - slow to import

    moved = lead[lead != 0]
    if not len(moved):
        return 1.0, 1.0
    ranks: Any = wilcoxon(moved)
    signs: Any = binomtest(int(np.count_nonzero(moved > 0)), len(moved))
    return float(ranks.pvalue), float(signs.pvalue)
