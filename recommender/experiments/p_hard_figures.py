"""The pictures of an experiment over ``p_hard``: Fig. 1 a to d and Fig. 2 of Mei et al. 2024, and ranks by popularity."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.experiments.figures import ACCENT, FAINT, INK, WIDTH_INCHES, save
from recommender.experiments.p_hard_results import EPOCHS, PHardRow, PHardShare, PopularityRow, ShareBin
from recommender.experiments.store import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from recommender.experiments.p_hard_report import PHardResults

SECOND = "#b4552d"
PANELS = (("a", "auc", "pair AUC"), ("b", "gini", "Gini@10"), ("c", "", "MRR"), ("d", EPOCHS, "epochs to convergence"))
SHADES = 0.85
"""How far along the colour scale the highest p_hard lies; its very end is too pale to read."""


def p_hard_drawings(results: "PHardResults") -> tuple[Drawing, ...]:
    """What can be drawn of a run."""
    drawings = [
        Drawing(
            "figure-1",
            "Accuracy, diversity, ranks and training time over p_hard (Mei et al. 2024, Fig. 1), 95 % intervals",
            lambda path: draw_figure_1(results, path),
        )
    ]
    if results.by_positive_share:
        drawings.append(
            Drawing(
                "figure-2",
                "Accuracy by the listener's share of likes, and its distribution (Mei et al. 2024, Fig. 2)",
                lambda path: draw_figure_2(results.by_positive_share, results.positive_shares, path),
            )
        )
    if results.by_popularity:
        drawings.append(
            Drawing(
                "popularity",
                "Where tracks of each tenth of popularity rank, by p_hard (Mei et al. 2024, section 6.2)",
                lambda path: draw_popularity(results.by_popularity, path),
            )
        )
    return tuple(drawings)


def draw_figure_1(results: "PHardResults", path: Path) -> None:
    """Four panels over p_hard; like-rate is a dashed line where it has the figure."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only at the end of a run

    figure = Figure(figsize=(WIDTH_INCHES, 5.6), layout="constrained")
    like_rate = {row.metric: row.mean for row in results.baselines if row.model == "like-rate"}
    for axes, (letter, metric, label) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        if metric:
            _curve(axes, results.results, metric, ACCENT, "")
            if metric == "auc" and metric in like_rate:
                axes.axhline(like_rate[metric], color=INK, linewidth=1, linestyle="--", label="like-rate")
                axes.legend(frameon=False, fontsize=8)
        else:
            _curve(axes, results.results, "mrr_positive", ACCENT, "liked targets")
            _curve(axes, results.results, "mrr_negative", SECOND, "disliked targets")
            axes.legend(frameon=False, fontsize=8)
        axes.set_title(f"({letter}) {label}", loc="left", fontsize=9)
        axes.set_xlabel("p_hard", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    save(figure, path)


def _curve(axes: "Axes", rows: Sequence[PHardRow], metric: str, colour: str, label: str) -> None:
    own = [row for row in rows if row.metric == metric]
    at = [row.p_hard for row in own]
    axes.plot(at, [row.mean for row in own], color=colour, marker="o", markersize=4, label=label)
    bounded = [row for row in own if row.low is not None and row.high is not None]
    if bounded:
        axes.fill_between(
            [row.p_hard for row in bounded],
            [row.low or 0.0 for row in bounded],
            [row.high or 0.0 for row in bounded],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )


def draw_figure_2(shares: Sequence[PHardShare], bins: Sequence[ShareBin], path: Path) -> None:
    """Left, pair AUC by share of likes, a line a value; right, how many listeners have which share."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(WIDTH_INCHES, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for model, colour in _coloured([row.p_hard for row in shares], [row.model for row in shares]):
        own = [row for row in shares if row.model == model]
        style = "--" if own[0].p_hard is None else "-"
        label = model if own[0].p_hard is None else f"{own[0].p_hard:g}"
        middle = [(row.share_low + row.share_high) / 2 for row in own]
        left.plot(middle, [row.mean for row in own], style, color=colour, marker="o", markersize=3, label=label)
    left.set_xlabel("share of likes in the past")
    left.set_ylabel("pair AUC")
    left.legend(frameon=False, fontsize=7, ncols=2, title="p_hard", title_fontsize=7)
    width = bins[0].high - bins[0].low
    right.bar([row.low for row in bins], [row.count for row in bins], width * 0.9, align="edge", color=ACCENT)
    right.set_xlabel("share of likes in the past")
    right.set_ylabel("listeners")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def draw_popularity(rows: Sequence[PopularityRow], path: Path) -> None:
    """Mean place in the ranking by tenth of popularity, a line a value; first places are up."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(WIDTH_INCHES, 3.6), layout="constrained")
    axes = figure.subplots()
    for model, colour in _coloured([row.p_hard for row in rows], [row.model for row in rows]):
        own = [row for row in rows if row.model == model]
        style = "--" if own[0].p_hard is None else "-"
        label = model if own[0].p_hard is None else f"{own[0].p_hard:g}"
        axes.plot([row.tenth for row in own], [row.place for row in own], style, color=colour, label=label)
    axes.invert_yaxis()
    axes.set_xlabel("tenth of the catalogue by feedback received (10: the most)")
    axes.set_ylabel("mean place (0 first, 1 last)")
    axes.legend(frameon=False, fontsize=7, ncols=2, title="p_hard", title_fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def _coloured(p_hard: Sequence[float | None], models: Sequence[str]) -> list[tuple[str, object]]:
    """Every model once with a colour: from dark to light with p_hard, greys for what stands beside."""
    from matplotlib import colormaps  # noqa: PLC0415 - as above

    scale = colormaps["viridis"]
    found = dict(zip(models, p_hard, strict=True))
    greys = iter((INK, FAINT))
    return [(model, next(greys, FAINT) if value is None else scale(value * SHADES)) for model, value in found.items()]
