"""The frontier of liking against diversity over the dial: variety by DPP, by MMR and without, closed loop, simulated listeners.

Every listener hears what the untrained player plays on a station of one track they like, once at each position of the dial
and for each kind of variety. *Satisfaction* is the true probability of liking, weariness and boredom included; *liked when
fresh* is the same tracks without these. Diversity is that of the last hundred plays. Simulation says nothing of how much
a person gains; it orders ways of ranking that are otherwise alike.

Needs the development data beside the repository, which is scanned and embedded first (a minute or two).
"""

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.library_insight import SHARED
from bench.simulation import Plan, Run, simulate
from bench.simulation.policies import untrained
from bench.simulation.report import DISCLAIMER
from bench.simulation.world import World
from bench.station.material import options, real_music
from player.config import StationSettings
from player.stations.collection import Collection
from player.stations.station_scoring import frontend_id
from recommender.evaluation.bootstrap import Interval, interval, resampled_means
from recommender.ranking.variety import Variety

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Doubles = NDArray[np.float64]
Cell = tuple[Variety, int]

DIALS = (0, 25, 50, 75, 100)
LISTENERS = 20
PLAYS = 250
LAST = 100
RESAMPLES = 4000
FIGURES = ("satisfaction", "liked when fresh", "skips", "Gini", "distance", "coverage", "never played")
SATISFACTION, DISTANCE = FIGURES.index("satisfaction"), FIGURES.index("distance")
COLOURS = {Variety.DPP: "#1b7f79", Variety.MMR: "#c8553d", Variety.NONE: "#7a7a7a"}


@dataclass(frozen=True, slots=True)
class Frontier:
    """What came out.

    Attributes:
        values: for each kind of variety and position of the dial, (listeners, figures).
    """

    values: Mapping[Cell, Doubles]

    def interval(self, cell: Cell, figure: int) -> Interval:
        """Mean over listeners, 95 %."""
        own = self.values[cell]
        return interval(float(own[:, figure].mean()), _resampled(own)[:, figure])

    def difference(self, cell: Cell, rival: Cell, figure: int) -> Interval:
        """Mean of the listeners' differences, 95 %."""
        own = self.values[cell][:, [figure]] - self.values[rival][:, [figure]]
        return interval(float(own.mean()), _resampled(own)[:, 0])

    def at_equal_distance(self, kind: Variety, rival: Variety, dial: int) -> Interval:
        """Satisfaction of ``kind`` less that of ``rival`` at ``dial``, where ``kind``'s dial gives the same distance between tracks.

        ``kind``'s frontier is interpolated between its positions, in each resample of the listeners anew.
        """
        curve = np.stack([_resampled(self.values[kind, position]) for position in DIALS])  # (dials, resamples, figures)
        point = _resampled(self.values[rival, dial])
        gained = [
            _interpolate(curve[:, number], point[number, DISTANCE]) - point[number, SATISFACTION]
            for number in range(len(point))
        ]
        means = np.stack([self.values[kind, position].mean(axis=0) for position in DIALS])
        there = self.values[rival, dial].mean(axis=0)
        return interval(_interpolate(means, there[DISTANCE]) - there[SATISFACTION], np.array(gained, np.float64))


def main(arguments: Sequence[str] = ()) -> None:
    """Print the table and draw the picture."""
    parser = options("station frontier")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--plays", type=int, default=PLAYS)
    parser.add_argument("--picture", type=Path, help="where to draw the frontier, a PNG")
    parser.add_argument(
        "--calibration", action="store_true", help="also: calibration off and on, at the middle of the dial"
    )
    asked = parser.parse_args(arguments)
    collection = real_music(asked.data)
    if collection is None:
        return
    world = _world(collection)
    settings = StationSettings()
    plan = Plan(
        plays=asked.plays, check_every=asked.plays, seeded=True, breadth=settings.breadth, diversity=settings.diversity
    )
    print(DISCLAIMER)
    print(f"{len(world)} tracks, {asked.listeners} listeners, {plan.plays} plays each; 95 % intervals over listeners")
    started = time.perf_counter()
    frontier = Frontier(
        {
            (variety, dial): listen(world, replace(plan, variety=variety, dial=dial), asked.listeners)
            for variety in Variety
            for dial in DIALS
        }
    )
    _print(frontier)
    print(f"{time.perf_counter() - started:.0f} s")
    if asked.calibration:
        _print_calibration(world, replace(plan, kinds=_genres(collection)), asked.listeners)
    if asked.picture is not None:
        draw(frontier, asked.picture)
        print(f"drawn to {asked.picture}")


def _world(collection: Collection) -> World:
    catalogue = collection.catalogue
    return World.of(collection.vectors.vectors, catalogue.artist, catalogue.album, frontend_id(collection))


def _genres(collection: Collection) -> tuple[int, ...]:
    """The group of each track, as a genre."""
    with (SHARED / "music.csv").open(newline="") as file:
        group_of = {Path(row["path"]).parts: row["group"] for row in csv.DictReader(file)}
    names = sorted(set(group_of.values()))
    deep = max(map(len, group_of))
    # By the end of the path: the music may have been scanned from another folder.
    groups = [
        next(filter(None, (group_of.get(Path(row.path).parts[-n:]) for n in range(deep, 0, -1))), None)
        for row in collection.rows
    ]
    if None in groups:
        raise SystemExit("The library holds tracks that music.csv does not name; scan the shared music alone.")
    return tuple(names.index(group) for group in groups if group is not None)


def listen(world: World, plan: Plan, listeners: int) -> Doubles:
    """(listeners, figures) of the same listeners under any plan."""
    return np.array([_figures(simulate(world, untrained, plan, seed)) for seed in range(listeners)])


def _figures(run: Run) -> tuple[float, ...]:
    found = run.checks[-1].diversity
    return (
        float(run.liking.mean()),
        float(run.taste.mean()),
        float(run.skipped.mean()),
        found.gini,
        found.intra_list_distance,
        1.0 - found.never_played,
        found.never_played,
    )


def _resampled(values: Doubles) -> Doubles:
    """(resamples, figures): the same resamples of listeners for every cell."""
    return resampled_means(values, RESAMPLES, seed=0)


def _interpolate(curve: Doubles, distance: float) -> float:
    """Satisfaction at a distance, on a curve (dials, figures); its end's beyond the end."""
    order = np.argsort(curve[:, DISTANCE])
    return float(np.interp(distance, curve[order, DISTANCE], curve[order, SATISFACTION]))


def _print(frontier: Frontier) -> None:
    print(f"  {'':<10}" + "".join(f"{name:>22}" for name in FIGURES))
    for variety in Variety:
        for dial in DIALS:
            cells = (_words(frontier.interval((variety, dial), figure)) for figure in range(len(FIGURES)))
            print(f"  {variety:<5}{dial:>4} " + "".join(f"{cell:>22}" for cell in cells))
    for kind, rival in ((Variety.DPP, Variety.MMR), (Variety.DPP, Variety.NONE), (Variety.MMR, Variety.NONE)):
        print(
            f"  {kind} less {rival}: satisfaction at the dial's position; where tracks lie as far apart as {rival}'s there"
        )
        for dial in DIALS:
            same_dial = frontier.difference((kind, dial), (rival, dial), SATISFACTION)
            apart = frontier.at_equal_distance(kind, rival, dial)
            print(f"    {dial:>4} {_words(same_dial, '+.3f'):>26} {_words(apart, '+.3f'):>26}")


def _print_calibration(world: World, plan: Plan, listeners: int) -> None:
    """Calibration to the genres liked so far, by its strength."""
    print("calibration to the groups as genres, dial in the middle; differences from none")
    strengths = (0.0, 2.0, 10.0, 50.0)
    found = [listen(world, replace(plan, calibration=strength), listeners) for strength in strengths]
    for strength, values in zip(strengths, found, strict=True):
        differences = values - found[0]
        cells = (
            _words(interval(float(differences[:, figure].mean()), _resampled(differences)[:, figure]), "+.3f")
            for figure in range(len(FIGURES))
        )
        print(f"  {strength:<9} " + "".join(f"{cell:>26}" for cell in cells))


def _words(found: Interval, form: str = ".2f") -> str:
    bounds = "" if found.low is None else f" ({found.low:{form}} to {found.high:{form}})"
    return f"{found.mean:{form}}{bounds}"


def draw(frontier: Frontier, path: Path) -> None:
    """Satisfaction against the distance between tracks, and against Gini, one line for each kind of variety."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import, for a picture only
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, across in zip(panels, ("distance", "Gini"), strict=True):
        for variety in (Variety.NONE, Variety.MMR, Variety.DPP):
            _line(panel, frontier, variety, FIGURES.index(across))
        panel.set_xlabel(
            {"distance": "mean distance between tracks", "Gini": "Gini over artists (less is more diverse)"}[across]
        )
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("satisfaction (simulated)")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=130)


def _line(panel: "Axes", frontier: Frontier, variety: Variety, across: int) -> None:
    points = [frontier.interval((variety, dial), across).mean for dial in DIALS]
    found = [frontier.interval((variety, dial), SATISFACTION) for dial in DIALS]
    means = [one.mean for one in found]
    bars = np.array([[one.mean - (one.low or one.mean), (one.high or one.mean) - one.mean] for one in found]).T
    colour = COLOURS[variety]
    panel.errorbar(points, means, yerr=bars, color=colour, marker="o", capsize=2, lw=1.5, elinewidth=0.7, label=variety)
    for dial, x, y in zip(DIALS, points, means, strict=True):
        panel.annotate(str(dial), (x, y), textcoords="offset points", xytext=(4, 5), fontsize=7, color=colour)
