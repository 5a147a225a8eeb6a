"""CLEP's experiment (Park & Lee 2022, sections 4 and 5) on any data set whose tracks can be heard.

Every listener with enough opinions gets networks of their own, in the three variants, under every seed. A seed divides
the tracks 3:1 for all listeners alike; a fifth of each listener's training part is the validation. Each listener's
figures are averaged over the seeds, so that listeners are what is independent in the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.datasets.dataset import Dataset
from recommender.experiments.baselines import dataset_facts
from recommender.experiments.clep_figures import draw_spaces, draw_table2
from recommender.experiments.clep_listeners import FEWEST_OF_EACH, Listeners, find_listeners
from recommender.experiments.clep_measures import ClepMetric
from recommender.experiments.clep_scores import MATCHED, Sounds, embedding_spaces, measure_seed, rows
from recommender.experiments.clep_tables import Tables
from recommender.experiments.json_values import json_object
from recommender.experiments.provenance import fingerprint_of_dataset
from recommender.experiments.records import Record
from recommender.experiments.store import Drawing, Finding, RunStore, Workspace, conduct

KIND = "clep"


@dataclass(frozen=True, slots=True)
class ClepExperimentConfig:
    """What is asked: with the data, all that determines the figures.

    Attributes:
        dataset: ``KIND:PATH``, or ``log``.
        frontend: what made the content vectors.
        seeds: of division, initial weights and batches.
        least: likes, and dislikes, that a listener needs.
        ablation: whether the ensemble rows are measured too.
        columns: (key, column) pairs, as the data set was read with.
        limit: rows it was cut to, or None.
        music, index: where the audio lies and which file is which track, or empty.
    """

    dataset: str
    frontend: str
    seeds: tuple[int, ...]
    least: int = FEWEST_OF_EACH
    ablation: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    music: str = ""
    index: str = ""


OnProgress = Callable[[int, int], None]
"""Called with (epochs done, epochs in all) over all seeds."""


def run_clep(
    dataset: Dataset,
    question: ClepExperimentConfig,
    store: RunStore,
    on_progress: OnProgress,
    *,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Run the experiment and keep its record; interrupted, it goes on after the last whole seed.

    Args:
        dataset: with content vectors.
        question: what is asked about it.
        store: where records are kept.
        on_progress: told after every epoch.
        resume: whether an interrupted run of the same question is gone on with.
        repeats: id of the run that this one repeats.

    Raises:
        ExperimentError: nobody has enough opinions, the tracks' sound is not known, or the run cannot be stored.
    """
    listeners = find_listeners(dataset, question.least)
    assert dataset.content is not None  # find_listeners has seen to it
    sounds = Sounds(dataset.content)

    def study(workspace: Workspace) -> Finding:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # on networks this small a second thread costs more than it brings
        try:
            return _study(dataset, listeners, sounds, question, workspace, on_progress)
        finally:
            torch.set_num_threads(threads)

    configuration = json_object(question)
    return conduct(store, KIND, configuration, fingerprint_of_dataset(dataset), study, resume=resume, repeats=repeats)


def _study(
    dataset: Dataset,
    listeners: Listeners,
    sounds: Sounds,
    question: ClepExperimentConfig,
    workspace: Workspace,
    on_progress: OnProgress,
) -> Finding:
    names = rows(ablation=question.ablation)
    shape = (len(names), len(listeners.chosen), len(ClepMetric))
    values: list[NDArray[np.float64]] = []
    for place, seed in enumerate(question.seeds):

        def told(epoch: int, epochs: int, before: int = place) -> None:
            on_progress(before * epochs + epoch, len(question.seeds) * epochs)

        part = f"seed-{seed}"
        kept = workspace.load(part)
        if kept is None or len(kept) != 8 * int(np.prod(shape)):  # 8 bytes a float64
            measured = measure_seed(listeners, sounds, seed, ablation=question.ablation, on_epoch=told)
            kept = measured.astype("<f8").tobytes()
            workspace.save(part, kept)
        values.append(np.frombuffer(kept, "<f8").reshape(shape))
    tables = Tables(names, _mean_over_seeds(np.stack(values)), question.frontend)
    table2 = tables.table2()
    shown, spaces = embedding_spaces(listeners, sounds, question.seeds[0])
    drawings = [Drawing("table2", "Table 2: medians over listeners", lambda path: draw_table2(table2, path))]
    if spaces:
        title = f"Figure 3: t-SNE of the spaces of {shown}; red liked, blue disliked, hollow not trained on"
        drawings.append(Drawing("figure3", title, lambda path: draw_spaces(spaces, path)))
    results = {
        "listeners": len(listeners.chosen),
        "listeners_in_all": len(listeners.everybody),
        "opinions": [len(each) for each in listeners.chosen],
        "seeds": len(question.seeds),
        "table2": table2,
        "means": tables.means(),
        "friedman": tables.friedman(),
        "wilcoxon": tables.wilcoxon(),
        "wilcoxon_at_the_fpr_of_n": tables.wilcoxon(tuple(MATCHED)),
        "advantage_of_best": tables.advantages(),
        "findings": tables.findings(),
        "conclusion": tables.conclusion(),
        "notes": _notes(listeners, question),
    }
    return Finding(json_object(results), dataset_facts(dataset), tuple(drawings))


def _mean_over_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, listeners, 5) from (seeds, rows, listeners, 5), each over the seeds in which it is defined; else NaN."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)


def _notes(listeners: Listeners, question: ClepExperimentConfig) -> list[str]:
    """What has to be said beside the figures."""
    return [
        listeners.unit,
        (
            f"{len(listeners.chosen)} of {len(listeners.everybody)} have at least {question.least} likes and as many dislikes "
            "about tracks whose sound is known."
        ),
        (
            "Each seed divides the tracks 3:1, the same for all listeners; a fifth of the training part, likes and dislikes "
            "apart, is the validation."
        ),
        "Each listener's figures are averaged over the seeds in which they are defined; tables show medians over listeners.",
        "Where nothing is called liked, precision is left out rather than counted as 0.",
        "Only like-rate knows what others said about the test tracks; only it, shared and best learn from others at all.",
        "A row at the false positive rate of N finds its threshold on the test tracks: it compares rankings, it predicts nothing.",
    ]
