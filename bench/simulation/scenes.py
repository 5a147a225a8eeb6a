"""Closed-loop simulation: does the loop learn, does it narrow down, does it notice a change of taste?

Invented listeners with a known taste hear what each policy plays; see ``docs/research/simulation.md``. Four scenes: the 240 real tracks of the
development library, 5,000 synthetic tracks made like them, those with a change of taste half-way, and with taste by artist. Two processes; a
retrained listener takes some 15 s of a core, any other two, so the whole is half an hour on two idle cores (``SIMULATION_LISTENERS=8`` for fewer). Progress is told on standard
error; what is finished is kept, and the same command goes on from there (``SIMULATION_CACHE`` names another folder). A finding is confirmed
on other listeners: ``SIMULATION_FIRST=20`` begins with the twenty-first.

Needs the development data beside the repository, which is scanned and embedded first (a minute or two).
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from bench.library_insight import SHARED, embedded
from bench.simulation import Plan, Run, simulate
from bench.simulation.listener import Temperament
from bench.simulation.policies import POLICIES
from bench.simulation.report import DISCLAIMER, Figure, Summary, course, recovery
from bench.simulation.store import RunStore
from bench.simulation.world import World, world_like
from player.stations.station_scoring import frontend_id
from recommender.evaluation.bootstrap import Difference, Interval

FIRST = "SIMULATION_FIRST"
"""Names the first listener, counted from 0."""
LISTENERS = int(os.environ.get("SIMULATION_LISTENERS", "20"))
SYNTHETIC_TRACKS = 5000
CHANGE = 250
WORKERS = 2
RIVALS = ("random", "content only", "artists", "untrained player")
SHOWN = (
    Figure.SATISFACTION, Figure.FIRST, Figure.LAST, Figure.TASTE, Figure.ACCURACY, Figure.SKIPS, Figure.EARLY_SKIPS,
    Figure.GINI, Figure.GINI_DRIFT, Figure.NEVER, Figure.REPEATS,
)  # fmt: skip
BY_ARTIST = Temperament(taste_spread=0.25, artist_spread=1.0)
"""Listeners to whom the artist says more than the sound, as to some of the people whose logs were looked at."""
COMPARED = (Figure.SATISFACTION, Figure.LAST, Figure.ACCURACY, Figure.SKIPS, Figure.GINI)


@dataclass(frozen=True, slots=True)
class Task:
    """One run, as a worker gets it."""

    world: World
    policy: str
    plan: Plan
    seed: int


def main() -> None:
    """Print the tables."""
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        collection = embedded(Path(scratch) / "data", [SHARED / "music"])
    catalogue = collection.catalogue
    real = World.of(collection.vectors.vectors, catalogue.artist, catalogue.album, frontend_id(collection))
    report(real)


def report(real: World) -> None:
    """Simulate all scenes and print them.

    Args:
        real: the world of the development library.
    """
    large = world_like(real, SYNTHETIC_TRACKS, seed=0)
    print(DISCLAIMER)
    for title, world, plan in (
        (f"{len(real)} real tracks", real, Plan()),
        (f"{len(large)} synthetic tracks", large, Plan()),
        (f"{len(large)} synthetic tracks, new taste after {CHANGE} plays", large, Plan(taste_changes_at=CHANGE)),
        (f"{len(large)} synthetic tracks, taste by artist", large, Plan(temperament=BY_ARTIST)),
    ):
        scene(title, world, plan)


def scene(title: str, world: World, plan: Plan, names: Sequence[str] = tuple(name for name, _ in POLICIES)) -> None:
    """Simulate one scene under the policies of these names and print it."""
    print(
        f"\n{title}; {LISTENERS} simulated listeners, {plan.plays} plays each; 95 % bootstrap intervals over listeners"
    )
    runs = _simulated(title, world, plan, names)
    _print_figures(Summary.of(runs))
    _print_courses(runs)
    if plan.taste_changes_at is not None:
        _print_recovery(runs, plan.taste_changes_at)
    _print_notes(runs)


def _simulated(title: str, world: World, plan: Plan, names: Sequence[str]) -> dict[str, list[Run]]:
    """One run for each policy and listener: those kept from before, and the others as they come."""
    store = RunStore()
    first = int(os.environ.get(FIRST, "0"))
    listeners = range(first, first + LISTENERS)
    wanted = [(name, seed) for name in names for seed in listeners]
    done: dict[tuple[str, int], Run] = {}
    for name, seed in wanted:
        kept = store.load(title, name, seed, len(world))
        if kept is not None:
            done[name, seed] = kept
    os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the workers: one core each
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        left = {
            pool.submit(_run, Task(world, name, plan, seed)): (name, seed)
            for name, seed in wanted
            if (name, seed) not in done
        }
        for future in as_completed(left):
            name, seed = left[future]
            done[name, seed] = future.result()
            store.save(title, name, seed, done[name, seed])
            print(f"  {len(done)}/{len(wanted)}  {name}, listener {seed}", file=sys.stderr, flush=True)
    return {name: [done[name, seed] for seed in listeners] for name in names}


def _run(task: Task) -> Run:
    return simulate(task.world, dict(POLICIES)[task.policy], task.plan, task.seed)


def _print_figures(summary: Summary) -> None:
    for figure in SHOWN:
        print(f"  {figure}")
        for policy in summary.policies:
            print(f"    {policy:<18} {_words(summary.figure(policy, figure))}")
    for policy in ("untrained player", "retrained player"):
        for rival in RIVALS:
            if {policy, rival} <= set(summary.policies) and rival != policy:
                print(f"  {policy} against {rival}")
                for figure in COMPARED:
                    print(f"    {figure:<32} {_signed(summary.difference(policy, rival, figure))}")


def _print_courses(runs: dict[str, list[Run]]) -> None:
    print("  satisfaction, mean of each 50 plays")
    for policy, own in runs.items():
        print(f"    {policy:<18} {' '.join(f'{value:.2f}' for value in course(own))}")
    print("  accuracy on unheard tracks, at each check")
    for policy, own in runs.items():
        checked = np.nanmean([[check.accuracy for check in run.checks] for run in own], axis=0)
        print(f"    {policy:<18} {' '.join(f'{value:.2f}' for value in checked)}")


def _print_recovery(runs: dict[str, list[Run]], changed_at: int) -> None:
    print("  satisfaction before the change; lost by it; regained by the last 100 plays")
    for policy, own in runs.items():
        found = recovery(own, changed_at)
        print(f"    {policy:<18} {_words(found.before)}; {_words(found.shock)}; {_words(found.regained)}")


def _print_notes(runs: dict[str, list[Run]]) -> None:
    """How often the gate let a model through, by the plays before it."""
    notes = [note for own in runs.values() for run in own for note in run.notes]
    for plays in sorted({int(note.split()[1]) for note in notes}):
        about = [note for note in notes if note.startswith(f"after {plays} plays")]
        promoted = sum("plays promoted" in note for note in about)
        print(f"  after {plays} plays the gate let {promoted} of {len(about)} models through")


def _words(figure: Interval) -> str:
    bounds = "" if figure.low is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.mean:.2f}{bounds}"


def _signed(found: Difference) -> str:
    bounds = "" if found.low is None else f" ({found.low:+.2f} to {found.high:+.2f})"
    return f"{found.mean:+.2f}{bounds}"
