"""Mutation testing of the code that decides what is played and what counts as feedback: which small changes do no test notice?

    make mutants                                    # every place of every module below: hours
    python -m bench.mutants --most 20 rules blend   # a seeded sample of those whose path holds one of these words

cosmic-ray (``pip install --group mutants``) makes the changes, in a copy of the checkout, never in it. Of the many changes that
it knows for one place (eleven other operators for one ``+``) one is drawn with a seed, since a test that notices one of them
mostly notices all. Each mutant runs only the tests that mirror its module, in a fork that has imported everything foreign
already. One that they let live is printed: either a test is missing, or the change means nothing; ``docs/dev/testing.md`` lists
the kinds that do not.
"""

import argparse
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

FEEDBACK, RANKING, MODELS = "tests/feedback/test_", "tests/recommender/ranking/test_", "tests/recommender/models/test_"
SEQUENCE, EVALUATION = "tests/recommender/sequence/test_", "tests/recommender/evaluation/test_"
TRAINING = "tests/recommender/training/test_"
TARGETS = {
    "player/feedback/signals.py": (f"{FEEDBACK}signals.py", f"{FEEDBACK}signals_more.py"),
    "player/feedback/labels.py": (f"{FEEDBACK}labels.py",),
    "player/feedback/event_store.py": (f"{FEEDBACK}event_store.py",),
    "player/feedback/event_history.py": tuple(
        f"{FEEDBACK}{name}.py" for name in ("event_history", "labels", "signals_more", "hygiene")
    ),
    "player/feedback/listened_ranges.py": (f"{FEEDBACK}listened_ranges.py",),
    "recommender/ranking/rules.py": (f"{RANKING}rules.py",),
    "recommender/ranking/rank.py": (f"{RANKING}rank.py", f"{RANKING}rank_properties.py"),
    "recommender/ranking/gumbel.py": (f"{RANKING}gumbel.py",),
    "recommender/sequence/negatives.py": (f"{SEQUENCE}negatives.py",),
    "recommender/sequence/objective.py": (f"{SEQUENCE}objective.py",),
    "recommender/evaluation/promotion.py": (f"{EVALUATION}promotion.py",),
    "recommender/evaluation/sequential_test.py": (f"{EVALUATION}sequential_test.py",),
    "recommender/training/tuning.py": (f"{TRAINING}tuning.py",),
    "recommender/models/blend.py": (f"{MODELS}blend.py",),
    "recommender/models/clep.py": (f"{MODELS}clep.py",),
    "recommender/models/bayesian_taste.py": (f"{MODELS}bayesian_taste.py",),
}
"""Modules, and the tests that mirror each."""
COPIED = ("player", "recommender", "embeddings", "migrations", "tests", "bench", "pyproject.toml")
PATIENCE = 5.0
"""A mutant that takes so many times the processor time of the module's tests has hung: it counts as noticed."""
LEAST_SECONDS = 5
STUCK_SECONDS = 120
"""One that takes so much longer by the clock, without using the processor, has hung too."""
AT_MOST = (600, 3600)
"""Seconds of the processor and by the clock for the tests without any mutant."""
MOST_BYTES = 8 << 30
"""Memory that a mutant may ask for."""
MEANINGLESS = ("core/ReplaceBinaryOperator_BitOr_", "core/RemoveDecorator")
"""Changes of annotations (``X | None``), and of decorators such as ``@dataclass``, without which a module cannot be imported."""
NOT_BEFORE_FORK = ("sounddevice", "pytest", "_pytest", "bench", "tests")
"""Modules that start threads when imported, or that each run of the tests has to import itself."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A module's mutants: how many were tried, and the diffs of those that no test noticed."""

    module: str
    tried: int
    survivors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change: its source, and the change as a diff."""

    source: str
    diff: str


def survey(module: Path, tests: Sequence[str], most: int | None, seed: int) -> Survey:
    """Try a module's mutants in the working folder, a copy of the checkout.

    Args:
        module: its path within.
        tests: paths within of the tests that each mutant runs.
        most: mutants that are tried at most; None for all.
        seed: of what is drawn.

    Raises:
        RuntimeError: the tests fail without any mutant.
    """
    _import_foreign(module, tests)
    before = os.times()
    if not _passes(tests, AT_MOST):
        raise RuntimeError(f"{' '.join(tests)} fail without any mutant.")
    used = os.times()
    seconds = used.children_user + used.children_system - before.children_user - before.children_system
    limits = (int(PATIENCE * seconds) + LEAST_SECONDS, int(PATIENCE * (used.elapsed - before.elapsed)) + STUCK_SECONDS)
    original = module.read_bytes()
    mutants = list(_mutants(module, most, seed))
    survivors: list[str] = []
    for mutant in mutants:
        module.write_text(mutant.source)
        if _passes(tests, limits):
            survivors.append(mutant.diff)
            print(mutant.diff, flush=True)
    module.write_bytes(original)
    return Survey(str(module), len(mutants), tuple(survivors))


def _mutants(module: Path, most: int | None, seed: int) -> Iterator[Mutant]:
    """One mutant for each kind of change at each place, drawn."""
    from cosmic_ray.ast import ast_nodes, get_ast  # noqa: PLC0415 - a tool of its own
    from cosmic_ray.mutating import mutate_code  # noqa: PLC0415
    from cosmic_ray.plugins import get_operator, operator_names  # noqa: PLC0415

    source = module.read_text()
    nodes, lines = list(ast_nodes(get_ast(source))), source.splitlines()
    places: dict[tuple[str, tuple[int, int]], list[tuple[str, int]]] = {}
    for name in operator_names():
        if name.startswith(MEANINGLESS) or get_operator(name).arguments():
            continue
        operator = get_operator(name)()
        found = (start for node in nodes for start, _end in operator.mutation_positions(node))
        for occurrence, start in enumerate(found):
            if not lines[start[0] - 1].startswith("@"):
                places.setdefault((name.partition("_")[0], start), []).append((name, occurrence))
    draw = random.Random(seed)
    drawn = [draw.choice(places[place]) for place in sorted(places)]
    for name, occurrence in draw.sample(drawn, min(most or len(drawn), len(drawn))):
        mutated = mutate_code(source, get_operator(name)(), occurrence) or source
        changed = unified_diff(lines, mutated.splitlines(), str(module), name, n=0, lineterm="")
        yield Mutant(mutated, "\n".join(changed))


def _import_foreign(module: Path, tests: Sequence[str]) -> None:
    """Import what the tests import and is not of this checkout, and have everything but the module compiled."""
    listed = Path("imported.txt")

    def write() -> None:
        listed.write_text("\n".join(name for name, found in sys.modules.items() if not _is_ours(found)))

    _passes(tests, AT_MOST, write)
    for name in listed.read_text().split("\n"):
        if name.split(".")[0] not in NOT_BEFORE_FORK:
            with suppress(Exception):
                importlib.import_module(name)
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*"):
        compiled.unlink()
    sys.dont_write_bytecode = True


def _is_ours(found: object) -> bool:
    return str(getattr(found, "__file__", "") or "").startswith(str(Path.cwd()))


def _passes(tests: Sequence[str], limits: tuple[int, int], afterwards: Callable[[], None] = lambda: None) -> bool:
    """Run tests silently in a fork that may take so many seconds of the processor and by the clock."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (limits[0], limits[0]))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        signal.alarm(limits[1])
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        os._exit(_run(tests, afterwards))
    return os.waitpid(child, 0)[1] == 0


def _run(tests: Sequence[str], afterwards: Callable[[], None]) -> int:
    import pytest  # noqa: PLC0415 - not in the process that forks
    from hypothesis import Phase, settings  # noqa: PLC0415

    settings.register_profile("mutants", phases=(Phase.explicit, Phase.reuse, Phase.generate))
    settings.load_profile("mutants")  # a failure is enough, it need not be a small one
    code = pytest.main(["-x", *tests])
    afterwards()
    return int(code)


def main() -> None:
    """Print the survivors of every module asked for, and a table of all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only modules whose path holds one of these")
    parser.add_argument("--most", type=int, help="mutants of a module that are tried at most; all without it")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    asked = parser.parse_args()
    chosen = {
        module: tests
        for module, tests in TARGETS.items()
        if not asked.words or any(word in module for word in asked.words)
    }
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        root = Path(name).resolve()
        for part in COPIED:
            source = Path(part)
            ignore = shutil.ignore_patterns("__pycache__")
            _ = shutil.copytree(part, root / part, ignore=ignore) if source.is_dir() else shutil.copy(part, root / part)
        os.chdir(root)
        sys.path[0] = os.environ["PYTHONPATH"] = str(root)
        surveys: list[Survey] = []
        for module, tests in chosen.items():
            print(f"\n== {module}", flush=True)
            surveys.append(survey(Path(module), tests, asked.most, asked.seed))
            print(f"{len(surveys[-1].survivors)} of {surveys[-1].tried} survive", flush=True)


if __name__ == "__main__":
    main()
