"""Pictures on disk, drawn without a display and without a time stamp: the same figures give the same file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 7.2
LINE_INCHES = 0.32
"""Height of one line of a picture that has one line a model."""
DOTS = 120
LABEL_ROWS = 22
"""Names that fit above each other beside a plane."""
INK, ACCENT, FAINT = "#222222", "#1f6f8b", "#bbbbbb"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a picture: a name, a figure, and its interval."""

    name: str
    mean: float
    low: float | None
    high: float | None


def draw_intervals(lines: Sequence[Line], label: str, path: Path, reference: float | None = None) -> None:
    """A dot with its interval for each line, the first on top.

    Args:
        lines: at least one.
        label: of the horizontal axis.
        path: of the PNG.
        reference: where a vertical line stands (chance), or None.
    """
    figure, axes = _canvas(1.3 + LINE_INCHES * len(lines))
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
    save(figure, path)


@dataclass(frozen=True, slots=True)
class Point:
    """One named point of a picture."""

    name: str
    x: float
    y: float


def draw_points(points: Sequence[Point], x_label: str, y_label: str, path: Path) -> None:
    """Points in a plane, their names in a column beside it, each joined to its point."""
    figure, axes = _canvas(4.8)
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
    save(figure, path)


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


def save(figure: "Figure", path: Path) -> None:
    """Write a PNG whose bytes depend on the picture alone."""
    figure.savefig(path, format="png", dpi=DOTS, bbox_inches="tight", metadata={"Software": None})


def _canvas(height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only at the end of a run

    figure = Figure(figsize=(WIDTH_INCHES, height))
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
