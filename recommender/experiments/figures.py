"""Pictures of a run, drawn without a display and without a time stamp: the same figures give the same file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import ShareBin
from recommender.experiments.json_values import JsonObject, number
from recommender.experiments.measurements import ResultRow
from recommender.experiments.store import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recommender.experiments.clep_scores import Space
    from recommender.experiments.p_hard_results import PHardResults, PHardShare
    from recommender.experiments.p_hard_trends import PHardRow, PopularityRow

WIDTH_INCHES = 7.2
LINE_INCHES = 0.32
"""Height of one line of a picture that has one line a model."""
DOTS = 120
LABEL_ROWS = 22
"""Names that fit above each other beside a plane."""
INK, ACCENT, FAINT, SECOND = "#222222", "#1f6f8b", "#bbbbbb", "#b4552d"
CHANCE = 0.5
P_HARD_PANELS = (
    ("a", "auc", "pair AUC"),
    ("b", "gini", "Gini@10"),
    ("c", "", "MRR"),
    ("d", "epochs", "epochs to convergence"),
)
SHADES = 0.85
"""How far along the colour scale the highest p_hard lies; its very end is too pale to read."""
LIKED, DISLIKED = "#c0392b", "#2c5aa0"
"""Red and blue, as in Park & Lee 2022."""
VARIANT_COLOURS = ("#1f6f8b", "#e0a030", "#7a4f9a")
PERPLEXITY = 15.0
"""Neighbours that t-SNE minds; less where a listener has fewer than 46 songs, which it requires to be three times as many."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a picture: a name, a figure, and its interval."""

    name: str
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """One named point of a picture."""

    name: str
    x: float
    y: float


def comparison_drawings(rows: Sequence[ResultRow]) -> tuple[Drawing, ...]:
    """Pictures of models compared: accuracy with its interval, and accuracy against diversity."""
    auc = [row for row in rows if row.metric == Measure.PAIR_AUC.key]
    gini = {row.model: row.mean for row in rows if row.metric == Measure.GINI.key}
    drawings: list[Drawing] = []
    if auc:
        lines = [Line(row.model, row.mean, row.low, row.high) for row in sorted(auc, key=lambda row: -row.mean)]
        drawings.append(
            Drawing(
                "pair-auc",
                "Pair AUC of every model, with its 95 % interval over listeners",
                lambda path: draw_intervals(lines, str(Measure.PAIR_AUC), path, CHANCE),
            )
        )
    points = [Point(row.model, gini[row.model], row.mean) for row in auc if row.model in gini]
    if points:
        drawings.append(
            Drawing(
                "accuracy-and-diversity",
                "Pair AUC against the Gini index of what is recommended: left is more diverse, up is more accurate",
                lambda path: draw_points(points, str(Measure.GINI), str(Measure.PAIR_AUC), path),
            )
        )
    return tuple(drawings)


def draw_intervals(lines: Sequence[Line], label: str, path: Path, reference: float | None = None) -> None:
    """A dot with its interval for each line, the first on top.

    Args:
        lines: at least one.
        label: of the horizontal axis.
        path: of the PNG.
        reference: where a vertical line stands (chance), or None.
    """
    figure = _canvas(1.3 + LINE_INCHES * len(lines))
    axes = _plain(figure.subplots())
    if reference is not None:
        axes.axvline(reference, color=FAINT, linewidth=1)
    for place, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [place, place], color=ACCENT, linewidth=2)
        axes.plot([line.mean], [place], marker="o", color=ACCENT, markersize=5)
        axes.annotate(f"{line.mean:.3f}", (line.mean, place), (0, 5), textcoords="offset points", ha="center", size=7)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.7)
    axes.set_xlabel(label)
    _save(figure, path)


def draw_points(points: Sequence[Point], x_label: str, y_label: str, path: Path) -> None:
    """Points in a plane, their names in a column beside it, each joined to its point."""
    figure = _canvas(4.8)
    axes = _plain(figure.subplots())
    axes.plot([point.x for point in points], [point.y for point in points], linestyle="", marker="o", color=ACCENT)
    axes.margins(0.06)
    bottom, top = axes.get_ylim()
    ranked = sorted(points, key=lambda point: (point.y, point.x))
    heights = _apart([(point.y - bottom) / (top - bottom) for point in ranked], 1.0 / max(LABEL_ROWS, len(points)))
    for point, height in zip(ranked, heights, strict=True):
        axes.annotate(
            point.name,
            (point.x, point.y),
            (1.04, height),
            textcoords="axes fraction",
            va="center",
            size=8,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6},
        )
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    _save(figure, path)


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """Rising heights (0…1) moved as little upwards as keeps them ``gap`` apart, and down again where they leave the top."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    ceiling = 1.0
    for place in reversed(range(len(moved))):
        moved[place] = min(moved[place], ceiling)
        ceiling = moved[place] - gap
    return moved


def p_hard_drawings(results: "PHardResults") -> tuple[Drawing, ...]:
    """Pictures over ``p_hard``: Fig. 1 a to d and Fig. 2 of Mei et al. 2024, and ranks by popularity."""
    drawings = [
        Drawing(
            "figure-1",
            "Accuracy, diversity, ranks and training time over p_hard (Mei et al. 2024, Fig. 1), 95 % intervals",
            lambda path: _draw_figure_1(results, path),
        )
    ]
    if results.by_positive_share:
        drawings.append(
            Drawing(
                "figure-2",
                "Accuracy by the listener's share of likes, and its distribution (Mei et al. 2024, Fig. 2)",
                lambda path: _draw_figure_2(results.by_positive_share, results.positive_shares, path),
            )
        )
    if results.by_popularity:
        drawings.append(
            Drawing(
                "popularity",
                "Where tracks of each tenth of popularity rank, by p_hard (Mei et al. 2024, section 6.2)",
                lambda path: _draw_popularity(results.by_popularity, path),
            )
        )
    return tuple(drawings)


def _draw_figure_1(results: "PHardResults", path: Path) -> None:
    """Four panels over p_hard; like-rate is a dashed line where it has the figure."""
    figure = _canvas(5.6, layout="constrained")
    like_rate = {row.metric: row.mean for row in results.baselines if row.model == "like-rate"}
    for axes, (letter, metric, label) in zip(figure.subplots(2, 2).flat, P_HARD_PANELS, strict=True):
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
        _plain(axes).tick_params(labelsize=8)
    _save(figure, path)


def _curve(axes: "Axes", rows: Sequence["PHardRow"], metric: str, colour: str, label: str) -> None:
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


def _draw_figure_2(shares: Sequence["PHardShare"], bins: Sequence[ShareBin], path: Path) -> None:
    """Left, pair AUC by share of likes, a line a value; right, how many listeners have which share."""
    figure = _canvas(3.2, layout="constrained")
    left, right = figure.subplots(1, 2)
    for model, style in _styles(shares).items():
        own = [row for row in shares if row.model == model]
        middle = [(row.share_low + row.share_high) / 2 for row in own]
        left.plot(
            middle,
            [row.mean for row in own],
            style.dash,
            color=style.colour,
            marker="o",
            markersize=3,
            label=style.label,
        )
    left.set_xlabel("share of likes in the past")
    left.set_ylabel("pair AUC")
    left.legend(frameon=False, fontsize=7, ncols=2, title="p_hard", title_fontsize=7)
    width = bins[0].high - bins[0].low
    right.bar([row.low for row in bins], [row.count for row in bins], width * 0.9, align="edge", color=ACCENT)
    right.set_xlabel("share of likes in the past")
    right.set_ylabel("listeners")
    for axes in (left, right):
        _plain(axes)
    _save(figure, path)


def _draw_popularity(rows: Sequence["PopularityRow"], path: Path) -> None:
    """Mean place in the ranking by tenth of popularity, a line a value; first places are up."""
    figure = _canvas(3.6, layout="constrained")
    axes = figure.subplots()
    for model, style in _styles(rows).items():
        own = [row for row in rows if row.model == model]
        axes.plot(
            [row.tenth for row in own], [row.place for row in own], style.dash, color=style.colour, label=style.label
        )
    axes.invert_yaxis()
    axes.set_xlabel("tenth of the catalogue by feedback received (10: the most)")
    axes.set_ylabel("mean place (0 first, 1 last)")
    axes.legend(frameon=False, fontsize=7, ncols=2, title="p_hard", title_fontsize=7)
    _plain(axes)
    _save(figure, path)


@dataclass(frozen=True, slots=True)
class _Style:
    colour: object
    dash: str
    label: str


def _styles(rows: "Sequence[PHardShare] | Sequence[PopularityRow]") -> Mapping[str, _Style]:
    """Every model with its line: from dark to light with p_hard, dashed greys for what stands beside."""
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import, and only at the end of a run

    scale, greys = colormaps["viridis"], iter((INK, FAINT))
    return {
        model: _Style(next(greys, FAINT), "--", model)
        if p_hard is None
        else _Style(scale(p_hard * SHADES), "-", f"{p_hard:g}")
        for model, p_hard in {row.model: row.p_hard for row in rows}.items()
    }


def clep_drawings(
    table2: Sequence[JsonObject], variants: Sequence[str], listener: str, spaces: Sequence["Space"]
) -> tuple[Drawing, ...]:
    """Pictures of Park & Lee 2022: Table 2 as bars, and Figure 3, the spaces of one listener, where there are any."""
    drawings = [
        Drawing("table2", "Table 2: medians over listeners", lambda path: _draw_table2(table2, variants, path)),
    ]
    if spaces:
        title = f"Figure 3: t-SNE of the spaces of {listener}; red liked, blue disliked, hollow not trained on"
        drawings.append(Drawing("figure3", title, lambda path: _draw_spaces(spaces, path)))
    return tuple(drawings)


def _positions(embedding: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m, 2) t-SNE (van der Maaten & Hinton 2008) of (m, E) embeddings, started from the principal axes."""
    from sklearn.manifold import TSNE  # noqa: PLC0415 - slow to import, and only pictures need it

    perplexity = min(PERPLEXITY, max(1.0, (len(embedding) - 1) / 3))
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(embedding).astype(np.float64)


def _draw_spaces(spaces: Sequence["Space"], path: Path) -> None:
    """The embedding spaces side by side: red what is liked, blue what is disliked, hollow what training did not see."""
    figure = _canvas(3.5, width=9.6)
    panels = figure.subplots(1, len(spaces), squeeze=False)[0]
    for axes, space in zip(panels, spaces, strict=True):
        place = _positions(space.embedding)
        colour = np.where(space.liked, LIKED, DISLIKED)
        seen = ~space.tested
        axes.scatter(*place[seen].T, c=colour[seen], s=22)
        axes.scatter(*place[space.tested].T, facecolors="none", edgecolors=colour[space.tested], s=22)
        axes.set_title(f"CLEP-{str(space.row).upper()}", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    _save(figure, path)


def _draw_table2(table2: Sequence[JsonObject], variants: Sequence[str], path: Path) -> None:
    """Medians of the variants as bars, a group for each metric."""
    metrics = ("accuracy", "precision", "recall", "auroc", "fpr")
    figure = _canvas(3.4)
    axes = figure.subplots()
    shown = [row for row in table2 if row["variant"] in variants]
    width = 0.8 / len(shown)
    for place, (row, colour) in enumerate(zip(shown, VARIANT_COLOURS, strict=True)):
        heights = [number(row[metric]) or 0.0 for metric in metrics]
        left = np.arange(len(metrics)) + (place - (len(shown) - 1) / 2) * width
        bars = axes.bar(left, heights, width, color=colour, label=f"CLEP-{str(row['variant']).upper()}")
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(metrics)), ["accuracy", "precision", "recall", "AUROC", "FPR"])
    axes.set_ylim(0, 1.05)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center")
    _plain(axes)
    _save(figure, path)


def _canvas(height: float, width: float = WIDTH_INCHES, layout: str | None = None) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only at the end of a run

    return Figure(figsize=(width, height), layout=layout)  # pyright: ignore[reportArgumentType] - a literal


def _plain(axes: "Axes") -> "Axes":
    """Without a frame at the top and the right."""
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _save(figure: "Figure", path: Path) -> None:
    """Write a PNG whose bytes depend on the picture alone."""
    figure.savefig(path, format="png", dpi=DOTS, bbox_inches="tight", metadata={"Software": None})
