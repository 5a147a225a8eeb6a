"""CLEP's experiment (Park & Lee 2022, sections 4 and 5) on any data set whose tracks can be heard.

Every listener with enough opinions gets networks of their own, in the three variants, under every seed. A seed divides
the tracks 3:1 for all listeners alike; a fifth of each listener's training part is the validation. Each listener's
figures are averaged over the seeds, so that listeners are what is independent in the tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.datasets.dataset import Dataset
from recommender.evaluation.bootstrap import resampled_means
from recommender.evaluation.statistics import friedman, paired_bootstrap, wilcoxon_holm
from recommender.experiments.clep_listeners import FEWEST_OF_EACH, Listeners, find_listeners
from recommender.experiments.clep_scores import (
    MATCHED,
    VARIANTS,
    ClepMetric,
    ClepModel,
    Sounds,
    embedding_spaces,
    measure_seed,
    rows,
)
from recommender.experiments.figures import clep_drawings
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.records import Record, fingerprint_of_dataset
from recommender.experiments.run_config import DataConfig
from recommender.experiments.runner import dataset_facts
from recommender.experiments.store import Finding, RunStore, Workspace, conduct

KIND = "clep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClepExperimentConfig(DataConfig):
    """Everything, besides the data, that determines the figures; the seeds are of division, initial weights and batches.

    Attributes:
        least: likes, and dislikes, that a listener needs.
        ablation: whether the ensemble rows are measured too.
    """

    least: int = FEWEST_OF_EACH
    ablation: bool = False


OnProgress = Callable[[int, int], None]
"""Called with (epochs done, epochs in all) over all seeds."""


def run_clep(
    dataset: Dataset,
    config: ClepExperimentConfig,
    store: RunStore,
    on_progress: OnProgress,
    *,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Run the experiment and keep its record; interrupted, it goes on after the last whole seed.

    Args:
        dataset: with content vectors.
        config: everything else that determines the figures.
        store: where records are kept.
        on_progress: told after every epoch.
        resume: whether an interrupted run of the same configuration is gone on with.
        repeats: id of the run that this one repeats.

    Raises:
        ExperimentError: nobody has enough opinions, the tracks' sound is not known, or the run cannot be stored.
    """
    listeners = find_listeners(dataset, config.least)
    assert dataset.content is not None  # find_listeners has seen to it
    sounds = Sounds.of(dataset.content, dataset.artist)

    def study(workspace: Workspace) -> Finding:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # on networks this small a second thread costs more than it brings
        try:
            return _study(dataset, listeners, sounds, config, workspace, on_progress)
        finally:
            torch.set_num_threads(threads)

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, KIND, json_object(config), fingerprint, study, resume=resume, repeats=repeats)


def _study(
    dataset: Dataset,
    listeners: Listeners,
    sounds: Sounds,
    config: ClepExperimentConfig,
    workspace: Workspace,
    on_progress: OnProgress,
) -> Finding:
    names = rows(ablation=config.ablation)
    shape = (len(names), len(listeners.chosen), len(ClepMetric))
    values: list[NDArray[np.float64]] = []
    for place, seed in enumerate(config.seeds):

        def told(epoch: int, epochs: int, before: int = place) -> None:
            on_progress(before * epochs + epoch, len(config.seeds) * epochs)

        part = f"seed-{seed}"
        kept = workspace.load(part)
        if kept is None or len(kept) != 8 * int(np.prod(shape)):  # 8 bytes a float64
            measured = measure_seed(listeners, sounds, seed, ablation=config.ablation, on_epoch=told)
            kept = measured.astype("<f8").tobytes()
            workspace.save(part, kept)
        values.append(np.frombuffer(kept, "<f8").reshape(shape))
    tables = Tables(names, _mean_over_seeds(np.stack(values)), config.frontend)
    table2 = tables.table2()
    drawings = clep_drawings(
        table2, [str(each) for each in VARIANTS], *embedding_spaces(listeners, sounds, config.seeds[0])
    )
    results = {
        "listeners": len(listeners.chosen),
        "listeners_in_all": len(listeners.everybody),
        "opinions": [len(each) for each in listeners.chosen],
        "seeds": len(config.seeds),
        "table2": table2,
        "means": tables.means(),
        "friedman": tables.friedman(),
        "wilcoxon": tables.wilcoxon(),
        "wilcoxon_at_the_fpr_of_n": tables.wilcoxon(tuple(MATCHED)),
        "advantage_of_best": tables.advantages(),
        "findings": tables.findings(),
        "conclusion": tables.conclusion(),
        "notes": _notes(listeners, config),
    }
    return Finding(json_object(results), dataset_facts(dataset), drawings)


def _mean_over_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, listeners, 5) from (seeds, rows, listeners, 5), each over the seeds in which it is defined; else NaN."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)


def _notes(listeners: Listeners, config: ClepExperimentConfig) -> list[str]:
    """What has to be said beside the figures."""
    return [
        listeners.unit,
        (
            f"{len(listeners.chosen)} of {len(listeners.everybody)} have at least {config.least} likes and as many dislikes "
            "about tracks whose sound is known."
        ),
        (
            "Each seed divides the tracks 3:1, the same for all listeners and no artist on both sides; a fifth of the training "
            "part, likes and dislikes apart, is the validation."
        ),
        "Each listener's figures are averaged over the seeds in which they are defined; tables show medians over listeners.",
        "Where nothing is called liked, precision is left out rather than counted as 0.",
        "Only like-rate knows what others said about the test tracks; only it, shared and best learn from others at all.",
        "A row at the false positive rate of N finds its threshold on the test tracks: it compares rankings, it predicts nothing.",
    ]


Floats = NDArray[np.float64]

RESAMPLES = 2000
BOUNDS = (2.5, 97.5)
"""Percentiles of a 95 % interval."""
SIGNIFICANT = 0.05
LEAST_SHOWN = 0.001
"""Smaller probabilities are only said to be smaller."""


@dataclass(frozen=True, slots=True)
class PaperFinding:
    """Whether something that the paper reports holds here."""

    finding: str
    holds: str
    """``yes``, ``no``, or ``not significant``: the medians agree with it, and Holm's p does not exclude chance."""
    detail: str


class Tables:
    """Everything computed from each listener's figures.

    Args:
        names: of the rows.
        values: (rows, listeners, 5), averaged over seeds; NaN where undefined.
        frontend: what made the content vectors.
    """

    def __init__(self, names: Sequence[ClepModel], values: Floats, frontend: str) -> None:
        self._figures: Mapping[ClepModel, Floats] = dict(zip(names, values, strict=True))
        self._frontend = frontend

    def table2(self) -> list[JsonObject]:
        """Medians over listeners, a document for each row."""
        return [
            json_object(
                {"frontend": self._frontend, "variant": row} | {c.key: _median(figures[:, c]) for c in ClepMetric}
            )
            for row, figures in self._figures.items()
        ]

    def means(self) -> list[JsonObject]:
        """Means over listeners with 95 % bootstrap intervals, a document for each row and metric."""
        documents: list[JsonObject] = []
        for row, figures in self._figures.items():
            resampled = resampled_means(figures, RESAMPLES, seed=0)
            for column in ClepMetric:
                known, drawn = figures[:, column], resampled[:, column]
                low, high = np.nanpercentile(drawn, BOUNDS) if np.isfinite(drawn).any() else (np.nan, np.nan)
                mean = float(np.nanmean(known)) if np.isfinite(known).any() else np.nan
                documents.append(
                    json_object({"variant": row, "metric": column.key, "mean": mean, "low": low, "high": high})
                )
        return documents

    def friedman(self, rows: Sequence[ClepModel] = tuple(VARIANTS)) -> list[JsonObject]:
        """Friedman's test of each metric over the variants; ``chi2`` and ``p`` null, and why, where there is none."""
        documents: list[JsonObject] = []
        for column in ClepMetric:
            tested = friedman(self._paired(rows, column))
            figures = {"chi2": None, "p": None, "omitted": tested} if isinstance(tested, str) else json_object(tested)
            documents.append(json_object({"frontend": self._frontend, "metric": column.key, **figures}))
        return documents

    def wilcoxon(self, rows: Sequence[ClepModel] = tuple(VARIANTS)) -> list[JsonObject]:
        """The signed-rank test of each pair and metric, Holm's correction within the metric."""
        documents: list[JsonObject] = []
        for column in ClepMetric:
            tested = wilcoxon_holm(self._paired(rows, column), [str(row) for row in rows])
            if isinstance(tested, str):
                continue
            documents += [
                json_object(
                    {
                        "frontend": self._frontend,
                        "metric": column.key,
                        "pair": f"{pair.first} vs {pair.second}",
                        "p": pair.p,
                        "p_holm": pair.p_holm,
                        "effect": pair.effect,
                        "listeners": pair.blocks,
                    }
                )
                for pair in tested
            ]
        return documents

    def advantages(self) -> list[JsonObject]:
        """How far the best mode's AUROC is above every other row's on the same listeners, with 95 % bootstrap intervals."""
        best = self._figures[ClepModel.BEST][:, ClepMetric.AUROC]
        compared = {
            row: paired_bootstrap(best, figures[:, ClepMetric.AUROC], RESAMPLES)
            for row, figures in self._figures.items()
            if row is not ClepModel.BEST and row not in MATCHED
        }
        return [
            json_object({"over": row, "metric": ClepMetric.AUROC.key} | dict(json_object(difference)))
            for row, difference in compared.items()
            if not isinstance(difference, str)
        ]

    def _paired(self, rows: Sequence[ClepModel], column: ClepMetric) -> Floats:  # (listeners, rows)
        return np.stack([self._figures[row][:, column] for row in rows], axis=1)

    def findings(self) -> list[PaperFinding]:
        """What the paper reports, beside what is seen here."""
        found = [
            self._extreme("N has the lowest false positive rate", ClepModel.N, ClepMetric.FPR, lowest=True),
            self._extreme("N has the highest accuracy", ClepModel.N, ClepMetric.ACCURACY, lowest=False),
            self._extreme("P has the highest recall", ClepModel.P, ClepMetric.RECALL, lowest=False),
            self._extreme("N has the lowest recall", ClepModel.N, ClepMetric.RECALL, lowest=True),
            self._extreme("N has the highest precision", ClepModel.N, ClepMetric.PRECISION, lowest=False),
            self._no_difference("The variants' AUROC do not differ significantly", ClepMetric.AUROC),
        ]
        matched = tuple(MATCHED)
        found.append(
            self._extreme(
                "At the false positive rate of N, N still has the highest accuracy",
                ClepModel.N_MATCHED,
                ClepMetric.ACCURACY,
                lowest=False,
                rivals=matched,
            )
        )
        return found

    def conclusion(self) -> str:
        """In one sentence: how many findings hold, and which row ranks best."""
        found = self.findings()
        hold = sum(each.holds == "yes" for each in found)
        auroc = {row: figures[:, ClepMetric.AUROC] for row, figures in self._figures.items() if row not in MATCHED}
        means = {row: float(np.nanmean(own)) for row, own in auroc.items() if np.isfinite(own).any()}
        if not means:
            return "No listener has both likes and dislikes among the test tracks: nothing can be concluded."
        best = max(means, key=means.__getitem__)
        variants = ", ".join(f"{row} {means[row]:.3f}" for row in VARIANTS if row in means)
        return (
            f"{hold} of {len(found)} findings hold; the highest mean AUROC is that of {best} with {means[best]:.3f} "
            f"(the paper's variants: {variants})."
        )

    def _extreme(
        self,
        finding: str,
        row: ClepModel,
        column: ClepMetric,
        *,
        lowest: bool,
        rivals: Sequence[ClepModel] = tuple(VARIANTS),
    ) -> PaperFinding:
        medians = {each: _median(self._figures[each][:, column]) for each in rivals}
        others = [median for each, median in medians.items() if each is not row]
        first = medians[row] < min(others) if lowest else medians[row] > max(others)
        detail = f"median {column.key}: " + ", ".join(f"{each} {median:.3f}" for each, median in medians.items())
        tested = wilcoxon_holm(self._paired(rivals, column), [str(each) for each in rivals])
        if isinstance(tested, str):
            return PaperFinding(finding, "not significant" if first else "no", f"{detail}; {tested}")
        own = [pair for pair in tested if row in {pair.first, pair.second}]
        detail += "; " + ", ".join(f"{p.first} vs {p.second} {_p(p.p_holm)} (Holm)" for p in own)
        if not first:
            return PaperFinding(finding, "no", detail)
        return PaperFinding(finding, "yes" if all(p.p_holm < SIGNIFICANT for p in own) else "not significant", detail)

    def _no_difference(self, finding: str, column: ClepMetric) -> PaperFinding:
        tested = friedman(self._paired(tuple(VARIANTS), column))
        if isinstance(tested, str):
            return PaperFinding(finding, "not significant", tested)
        detail = f"Friedman's χ² {tested.chi2:.2f}, {_p(tested.p)}"
        return PaperFinding(finding, "no" if tested.p < SIGNIFICANT else "yes", detail)


def _p(p: float) -> str:
    return f"p {p:.3f}" if p >= LEAST_SHOWN else f"p < {LEAST_SHOWN}"


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
