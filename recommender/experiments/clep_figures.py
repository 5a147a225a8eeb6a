"""CLEP's pictures: the paper's Figure 3, and Table 2 as bars."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.experiments.clep_scores import VARIANTS, Space
from recommender.experiments.figures import save
from recommender.experiments.json_values import JsonObject, number

LIKED, DISLIKED = "#c0392b", "#2c5aa0"
"""Red and blue, as in the paper."""
VARIANT_COLOURS = ("#1f6f8b", "#e0a030", "#7a4f9a")
PERPLEXITY = 15.0
"""Neighbours that t-SNE minds; less where a listener has fewer than 46 songs, which it requires to be three times as many."""


def positions(embedding: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m, 2) t-SNE (van der Maaten & Hinton 2008) of (m, E) embeddings, started from the principal axes."""
    from sklearn.manifold import TSNE  # noqa: PLC0415 - slow to import, and only pictures need it

    perplexity = min(PERPLEXITY, max(1.0, (len(embedding) - 1) / 3))
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(embedding).astype(np.float64)


def draw_spaces(spaces: Sequence[Space], path: Path) -> None:
    """The embedding spaces side by side: red what is liked, blue what is disliked, hollow what training did not see."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only at the end of a run

    figure = Figure(figsize=(9.6, 3.5))
    panels = figure.subplots(1, len(spaces), squeeze=False)[0]
    for axes, space in zip(panels, spaces, strict=True):
        place = positions(space.embedding)
        colour = np.where(space.liked, LIKED, DISLIKED)
        seen = ~space.tested
        axes.scatter(*place[seen].T, c=colour[seen], s=22)
        axes.scatter(*place[space.tested].T, facecolors="none", edgecolors=colour[space.tested], s=22)
        axes.set_title(f"CLEP-{str(space.row).upper()}", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    save(figure, path)


def draw_table2(table2: Sequence[JsonObject], path: Path) -> None:
    """Medians of the three variants as bars, a group for each metric."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only at the end of a run

    metrics = ("accuracy", "precision", "recall", "auroc", "fpr")
    figure = Figure(figsize=(7.2, 3.4))
    axes = figure.subplots()
    shown = [row for row in table2 if row["variant"] in {str(variant) for variant in VARIANTS}]
    width = 0.8 / len(shown)
    for place, (row, colour) in enumerate(zip(shown, VARIANT_COLOURS, strict=True)):
        heights = [number(row[metric]) or 0.0 for metric in metrics]
        left = np.arange(len(metrics)) + (place - (len(shown) - 1) / 2) * width
        bars = axes.bar(left, heights, width, color=colour, label=f"CLEP-{str(row['variant']).upper()}")
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(metrics)), ["accuracy", "precision", "recall", "AUROC", "FPR"])
    axes.set_ylim(0, 1.05)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center")
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)
