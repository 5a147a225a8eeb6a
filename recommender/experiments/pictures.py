"""The pictures of a run of the baselines: accuracy with its interval, and accuracy against diversity."""

from collections.abc import Sequence

from recommender.evaluation.metric_names import Measure
from recommender.experiments.figures import Line, Point, draw_intervals, draw_points
from recommender.experiments.results import ResultRow
from recommender.experiments.store import Drawing

CHANCE = 0.5


def baseline_drawings(rows: Sequence[ResultRow]) -> tuple[Drawing, ...]:
    """What can be drawn of these rows."""
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
