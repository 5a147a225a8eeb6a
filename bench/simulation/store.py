"""Finished runs of a simulation on disk, so that one that was interrupted goes on where it was.

A run is kept under a name made of the code that it came of: with any change of the recommender all runs are made anew.
"""

import json
import os
import tempfile
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

import numpy as np

import recommender
from bench.simulation import Check, Run
from recommender.events import empty_log
from recommender.ranking.diversity import DiversityReport

CACHE = "SIMULATION_CACHE"
"""Names another folder to keep runs in; the system's folder for temporary files when it is not set."""
ARRAYS = ("track", "liking", "taste", "skipped", "early", "thumb", "propensity")


class RunStore:
    """Runs by scene, policy and listener."""

    def __init__(self) -> None:
        digest = sha256()
        for file in sorted(Path(recommender.__file__).parent.rglob("*.py")):
            digest.update(file.read_bytes())
        chosen = os.environ.get(CACHE)
        root = Path(chosen) if chosen else Path(tempfile.gettempdir()) / "player-simulation"
        self.folder = root / digest.hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, scene: str, policy: str, seed: int, tracks: int) -> Run | None:
        """A run that was kept, without its log; None where there is none."""
        try:
            with np.load(self._path(scene, policy, seed)) as kept:
                checks = json.loads(str(kept["checks"]))
                return Run(
                    **{name: kept[name] for name in ARRAYS},
                    checks=tuple(_check(each) for each in checks),
                    log=empty_log(tracks),
                    notes=tuple(json.loads(str(kept["notes"]))),
                )
        except FileNotFoundError:
            return None

    def save(self, scene: str, policy: str, seed: int, run: Run) -> None:
        """Keep a run; it is there whole or not at all."""
        path = self._path(scene, policy, seed)
        beside = path.with_suffix(f".{os.getpid()}.npz")
        checks = json.dumps([asdict(check) for check in run.checks])
        arrays = {name: getattr(run, name) for name in ARRAYS}
        np.savez(beside, **arrays, checks=np.array(checks), notes=np.array(json.dumps(run.notes)))
        beside.replace(path)

    def _path(self, scene: str, policy: str, seed: int) -> Path:
        name = "".join(letter if letter.isalnum() else "-" for letter in f"{scene} {policy}")
        return self.folder / f"{name}-{seed}.npz"


def _check(document: dict[str, object]) -> Check:
    values = document["diversity"]
    assert isinstance(values, dict)
    report = DiversityReport(**{field.name: values[field.name] for field in fields(DiversityReport)})
    return Check(int(str(document["plays"])), float(str(document["accuracy"])), report)
