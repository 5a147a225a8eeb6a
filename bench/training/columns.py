"""What each column of the blend is worth to simulated listeners, repetition above all: ``python -m bench.training.columns``.

**Simulation, not people** (``docs/research/simulation.md``): no data set at hand repeats tracks, so none could say. Invented listeners hear what a policy plays,
a model is trained on each one's past as the player does, and the blend is fitted with all columns and without some; what counts is the order among
the newest fifth. Progress is told on standard error. Every listener is kept when done: the same command goes on where it was interrupted
(``SIMULATION_CACHE`` names another folder), and after a change of the recommender begins anew. One process; a listener takes ten to twenty seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from bench.library_insight import SHARED, embedded
from bench.simulation import Plan, simulate
from bench.simulation.listener import Listener, Temperament
from bench.simulation.policies import MakePolicy, random_order, untrained
from bench.simulation.report import DISCLAIMER
from bench.simulation.scenes import SYNTHETIC_TRACKS
from bench.simulation.store import RunStore
from bench.simulation.world import World, world_like
from bench.training import column_variants
from bench.training.column_variants import ALL, COMPARED, MEASURES, VARIANTS, Measured, Variant, measure_variants
from player.folders import locate
from player.stations.collection import Collection, load_collection
from player.stations.station_scoring import frontend_id
from player.storage.database import open_database
from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.statistics import paired_bootstrap
from recommender.models.blend import Component
from recommender.models.station_scorer import UNTRAINED

LISTENERS, PLAYS = 20, 1000
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Scene:
    """Who plays what to whom; the name is for the command line, the title for the table.

    Attributes:
        policy: what plays.
        synthetic: whether among synthetic tracks rather than the real ones.
        seeded: whether the station has a seed, a track that the listener likes; else it is of the whole library.
        temperament: of the listeners.
    """

    name: str
    title: str
    policy: MakePolicy
    synthetic: bool = False
    seeded: bool = False
    temperament: Temperament = field(default_factory=Temperament)


SCENES = (
    Scene("real", "real tracks, played by the untrained player", untrained),
    Scene("synthetic", "synthetic tracks, played by the untrained player", untrained, synthetic=True),
    Scene(
        "seeded",
        "synthetic tracks, played by the untrained player on a station with a seed",
        untrained,
        synthetic=True,
        seeded=True,
    ),
    Scene("shuffled", "real tracks, shuffled", random_order),
    Scene(
        "unbored",
        "real tracks, shuffled, for listeners without boredom",
        random_order,
        temperament=Temperament(boredom=0.0),
    ),
)
USUAL = ("real", "synthetic", "seeded")


@dataclass(frozen=True, slots=True)
class Line:
    """One difference in one measure over the listeners; above 0 the first of the two orders better."""

    variant: str
    rival: str
    measure: str
    difference: Difference


def main(arguments: Sequence[str] = ()) -> None:
    """Simulate, train, measure, print."""
    asked = _parse(arguments)
    if asked.data is None and not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}, or --data with a folder of the player's own")
        return
    scenes = [scene for scene in SCENES if scene.name in asked.scenes.split(",")]
    real = library_world(asked.data)
    worlds = {False: real, True: world_like(real, SYNTHETIC_TRACKS, seed=0)}
    print(DISCLAIMER)
    tell, documents = _Teller(len(scenes) * asked.listeners), list[dict[str, object]]()
    try:
        for scene in scenes:
            world = worlds[scene.synthetic]
            found = measure_scene(
                scene, world, asked.plays, range(asked.first, asked.first + asked.listeners), tell=tell
            )
            _print(scene, world, asked.plays, found)
            documents.append(_document(scene, len(world), asked.plays, found))
    except KeyboardInterrupt:
        print("Interrupted. What was measured is kept, and the same command goes on from there.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    if asked.json is not None:
        asked.json.write_text(json.dumps({"note": DISCLAIMER, "scenes": documents}, indent=1, allow_nan=False))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.training.columns", description=__doc__)
    parser.add_argument("--listeners", type=int, default=LISTENERS, help="in each scene")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        help="the first listener: others than before, where a finding is to be confirmed",
    )
    parser.add_argument("--plays", type=int, default=PLAYS, help="of each listener")
    names = ",".join(scene.name for scene in SCENES)
    parser.add_argument("--scenes", default=",".join(USUAL), help=f"comma-separated, of {names}")
    parser.add_argument(
        "--data", type=Path, help="data folder with embedded music; else the development music is embedded"
    )
    parser.add_argument("--json", type=Path, help="file for all figures")
    asked = parser.parse_args(arguments)
    if asked.listeners < 1 or asked.plays < 1:
        parser.error("--listeners and --plays: at least one")
    if asked.first < 0:
        parser.error("--first: listeners are numbered from 0")
    strange = [name for name in asked.scenes.split(",") if name not in names.split(",")]
    if strange:
        parser.error(f"--scenes: there is no {strange[0]!r}; there are {names}")
    if asked.data is not None and not locate(asked.data).database.is_file():
        parser.error(f"--data: there is no library in {asked.data}")
    return asked


def library_world(data: Path | None) -> World:
    """The world of an embedded library: the development music, or the player's own in a data folder."""
    if data is None:
        with tempfile.TemporaryDirectory() as scratch:
            collection = embedded(Path(scratch) / "data", [SHARED / "music"])
    else:
        collection = _stored(data)
    catalogue = collection.catalogue
    return World.of(collection.vectors.vectors, catalogue.artist, catalogue.album, frontend_id(collection))


def _stored(data: Path) -> Collection:
    database = open_database(locate(data).database)
    try:
        return load_collection(database)
    finally:
        database.close()


def measure_scene(
    scene: Scene,
    world: World,
    plays: int,
    seeds: Sequence[int],
    variants: Sequence[Variant] = VARIANTS,
    tell: Callable[[str], None] = lambda _what: None,
) -> list[Measured]:
    """One :class:`Measured` a listener, those kept from before and the others computed.

    Args:
        scene: who plays what to whom.
        world: the tracks.
        plays: of each listener.
        seeds: the listeners.
        variants: of the blend.
        tell: told after each listener.
    """
    plan = Plan(plays=plays, check_every=plays, seeded=scene.seeded, temperament=scene.temperament)
    found: list[Measured] = []
    for seed in seeds:
        path = _kept(scene, world, plan, variants, seed)
        if path.is_file():
            found.append(Measured(**json.loads(path.read_text())))
        else:
            found.append(_measure(scene, world, plan, variants, seed))
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(asdict(found[-1])))
            unfinished.replace(path)
        tell(f"{scene.name}, listener {seed}")
    return found


def _measure(scene: Scene, world: World, plan: Plan, variants: Sequence[Variant], seed: int) -> Measured:
    log = simulate(world, scene.policy, plan, seed).log
    liked = Listener(world, plan.temperament, seed).taste.liked.tolist()
    seeds = liked[:1] if plan.seeded else []  # as the simulation has it
    return measure_variants(log, world.catalogue(seeds), seed, variants)


def _kept(scene: Scene, world: World, plan: Plan, variants: Sequence[Variant], seed: int) -> Path:
    """Where one listener's figures are kept: the name changes with all that they come of."""
    said = repr((plan, [(each.name, sorted(each.left_out)) for each in variants]))
    digest = sha256(said.encode() + world.vectors.tobytes() + Path(column_variants.__file__).read_bytes())
    return RunStore().folder / f"columns-{scene.name}-{digest.hexdigest()[:16]}-{seed}.json"


def differences(found: Sequence[Measured]) -> list[Line]:
    """What is compared, paired over listeners, 95 % bootstrap intervals; without bounds below five listeners."""
    lines: list[Line] = []
    for measure in MEASURES:
        for variant, rival in COMPARED:
            if not {variant, rival} <= set(found[0].figures):
                continue
            own, theirs = (
                np.array([each.figures[name][measure] for each in found], float) for name in (variant, rival)
            )
            difference = paired_bootstrap(own, theirs)
            if isinstance(difference, str):
                difference = Difference(float(np.nanmean(own - theirs)), None, None, None)
            lines.append(Line(variant, rival, measure, difference))
    return lines


def _mean(found: Sequence[Measured], variant: str, measure: str) -> float:
    return float(np.nanmean(np.array([each.figures[variant][measure] for each in found], float)))


def _print(scene: Scene, world: World, plays: int, found: Sequence[Measured]) -> None:
    print(
        f"\n{len(world)} tracks: {scene.title}; {len(found)} simulated listeners, {plays} plays each\n"
        f"on average {np.mean([each.tested for each in found]):.0f} events measured on, {np.mean([each.repeats for each in found]):.0%} of them"
        f" repeats; blend fitted on {np.mean([each.fitted for each in found]):.0f} rows; {sum(each.promoted for each in found)} models past the gate"
    )
    print("  mean weights: " + ", ".join(f"{name} {weight:+.2f}" for name, weight in _weights(found).items()))
    print(f"  {'':<30}" + "".join(f"{measure:>12}{'lost without it':>26}" for measure in MEASURES))
    lines = differences(found)
    for name in (*(each.name for each in VARIANTS), UNTRAINED):
        cells = [f"{_mean(found, name, measure):>12.3f}{_beside(lines, name, measure):>26}" for measure in MEASURES]
        print(f"  {name:<30}" + "".join(cells))
    print(
        "  Lost without it: all columns less the line, so above 0 what is left out pays; 95 % intervals over listeners."
    )


def _beside(lines: Sequence[Line], name: str, measure: str) -> str:
    """How much better the fuller blend orders than this one."""
    found = [line.difference for line in lines if (line.variant, line.rival, line.measure) == (ALL.name, name, measure)]
    if not found:
        return ""
    (one,) = found
    return f"{one.mean:+.3f}" + ("" if one.low is None else f" ({one.low:+.3f} to {one.high:+.3f})")


def _weights(found: Sequence[Measured]) -> dict[str, float]:
    means = np.mean([each.weights for each in found], axis=0)
    return {column.name.lower(): float(mean) for column, mean in zip(Component, means, strict=True)}


def _document(scene: Scene, tracks: int, plays: int, found: Sequence[Measured]) -> dict[str, object]:
    return {
        "scene": scene.name,
        "title": scene.title,
        "tracks": tracks,
        "plays": plays,
        "boredom": scene.temperament.boredom,
        "weights": _weights(found),
        "differences": [asdict(line) for line in differences(found)],
        "listeners": [asdict(each) for each in found],
    }


class _Teller:
    """Tells on standard error how many listeners are done, and about how long the others take."""

    def __init__(self, listeners: int) -> None:
        self._done, self._listeners, self._started = 0, listeners, time.monotonic()

    def __call__(self, what: str) -> None:
        """One more."""
        self._done += 1
        left = (time.monotonic() - self._started) / self._done * (self._listeners - self._done)
        print(f"  {self._done}/{self._listeners}  {what}; about {left / 60:.0f} min left", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
