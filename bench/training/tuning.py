"""Choosing each peer's configuration on the validation rows, and keeping what was found for the next run."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.training.contenders import Configuration, Contender
from bench.training.exchange import VALIDATION, Task
from bench.training.material import Material, ndcg_on_validation
from bench.training.running import Answer

SEED = 0
"""Of all trials."""
Run = Callable[[Contender, Task], Answer]


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration tried.

    Attributes:
        configuration: what.
        ndcg: NDCG@10 on the validation rows, measured by the harness.
        epochs: the best, by the contender's own early stopping.
        processor: seconds it took.
        out_of_time: whether the limit ended it.
    """

    configuration: Configuration
    ndcg: float
    epochs: int
    processor: float
    out_of_time: bool


@dataclass(frozen=True, slots=True)
class Tuned:
    """All trials of a contender, and what they were trials of."""

    key: str
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """The one with the highest NDCG@10."""
        return max(self.trials, key=lambda trial: trial.ndcg)


class Cache:
    """A JSON file with the trials of earlier runs; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Tuned] = {}
        if path is not None and path.exists():
            try:
                self._known = {name: _tuned(entry) for name, entry in json.loads(path.read_text()).items()}
            except (ValueError, TypeError, KeyError, AttributeError):
                print(f"{path} holds no trials that can be read; everything is tuned anew and the file replaced.")

    def get(self, name: str, key: str) -> Tuned | None:
        """The trials of a contender, if they answer the same question."""
        known = self._known.get(name)
        return known if known is not None and known.key == key else None

    def put(self, name: str, tuned: Tuned) -> None:
        """Keep them, on disk at once: a tuning is long, and what is done need not be done again."""
        self._known[name] = tuned
        if self._path is not None:
            unfinished = self._path.with_name(self._path.name + ".unfinished")
            unfinished.write_text(json.dumps({each: asdict(known) for each, known in self._known.items()}, indent=1))
            unfinished.replace(self._path)


def tune(contender: Contender, material: Material, task: Task, cache: Cache, run: Run) -> Tuned:
    """Try all configurations, unless the cache knows what came of it.

    Args:
        contender: who.
        material: on what.
        task: limits and sizes; part, configuration, epochs and seed are filled in here.
        cache: what is known and where what is found goes.
        run: trains once.

    Raises:
        ContenderError: it failed.
    """
    key = question_key(contender, task, Path(task.dataset))
    known = cache.get(contender.name, key)
    if known is not None:
        return known
    trials: list[Trial] = []
    for configuration in contender.configurations:
        answer = run(contender, of(task, VALIDATION, configuration, None, SEED))
        ndcg = ndcg_on_validation(material, answer.scores)
        course = answer.course
        trials.append(Trial(configuration, ndcg, course.best_epoch, answer.processor, course.out_of_time))
        print(
            f"  {contender.name}: {dict(configuration)}: NDCG@10 {ndcg:.4f} on validation, best epoch {course.best_epoch} "
            f"of {len(course.epochs)}{', out of time' if course.out_of_time else ''}, {answer.processor:.0f} s",
            flush=True,
        )
    tuned = Tuned(key, tuple(trials))
    cache.put(contender.name, tuned)
    return tuned


def of(task: Task, part: str, configuration: Configuration, epochs: int | None, seed: int) -> Task:
    """The same limits and sizes with another thing to do."""
    return Task(
        dataset=task.dataset,
        listeners=task.listeners,
        tracks=task.tracks,
        part=part,
        configuration=dict(configuration),
        epochs=epochs,
        seed=seed,
        seconds=task.seconds,
        threads=task.threads,
    )


def question_key(contender: Contender, task: Task, dataset: Path) -> str:
    """Changes with the data, the configurations, the contender's script, and the limits."""
    script = Path(contender.command[-1])
    said = json.dumps([list(contender.configurations), task.seconds, task.threads], sort_keys=True)
    digest = hashlib.sha256(said.encode())
    for path in (dataset, script):
        digest.update(path.read_bytes() if path.is_file() else str(path).encode())
    return digest.hexdigest()


def _tuned(entry: Mapping[str, object]) -> Tuned:
    trials = entry["trials"]
    if not isinstance(trials, list) or not trials:
        raise TypeError
    return Tuned(str(entry["key"]), tuple(Trial(**trial) for trial in trials))
