"""Mutation testing of the code that decides what is played and what counts as feedback: which small changes do no test notice?

    make mutants                                    # a seeded sample of every module below
    python -m bench.mutants --most 10 rules blend   # of those whose path holds one of these words

cosmic-ray (``pip install --group mutants``) makes the changes in a copy of the checkout, never in it. Each mutant runs only
the tests that mirror its module; one that they let live is printed as a diff: either a test is missing, or the change means
nothing. It is a sample, bounded and drawn with a seed, and no part of the tests.
"""

import argparse
import json
import random
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

RANKING = "tests/recommender/ranking/"
TARGETS = {
    "player/feedback/signals.py": ("tests/feedback/test_signals.py", "tests/feedback/test_signals_more.py"),
    "player/feedback/event_store.py": ("tests/feedback/test_event_store.py",),
    "player/feedback/event_history.py": ("tests/feedback/test_event_history.py",),
    "recommender/ranking/rules.py": (f"{RANKING}test_rules.py",),
    "recommender/ranking/rank.py": (f"{RANKING}test_rank.py", f"{RANKING}test_rank_properties.py"),
    "recommender/sequence/negatives.py": ("tests/recommender/sequence/test_negatives.py",),
    "recommender/evaluation/promotion.py": ("tests/recommender/evaluation/test_promotion.py",),
    "recommender/training/tuning.py": ("tests/recommender/training/test_tuning.py",),
}
"""Modules, and the tests that mirror each."""
COPIED = ("player", "recommender", "embeddings", "migrations", "tests", "bench", "pyproject.toml")
PATIENCE = 5.0
"""A mutant that takes so many times as long as the module's tests do unchanged has hung: it counts as noticed."""
MEANINGLESS = ("core/ReplaceBinaryOperator_BitOr_%", "core/RemoveDecorator")
"""Changes of annotations (``X | None``), and of decorators such as ``@dataclass``, without which a module cannot be imported."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A module's mutants: how many were tried, and the diffs of those that no test noticed."""

    module: str
    tried: int
    survivors: tuple[str, ...]


def survey(root: Path, module: str, tests: Sequence[str], most: int, seed: int) -> Survey:
    """Try a sample of a module's mutants in a copy of the checkout.

    Args:
        root: the copy.
        module: its path within.
        tests: paths within of the tests that each mutant runs.
        most: mutants that are tried at most.
        seed: of the sample.

    Raises:
        RuntimeError: the tests fail without any mutant, or cosmic-ray does.
    """
    command = shlex.join([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests])
    started = time.monotonic()
    _run(shlex.split(command), root)
    config, session = root / "mutants.toml", root / "mutants.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(
        "[cosmic-ray]\n"
        f"module-path = {json.dumps(module)}\n"
        f"timeout = {PATIENCE * (time.monotonic() - started) + PATIENCE:.1f}\n"
        "excluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    tool = [sys.executable, "-m", "cosmic_ray.cli"]
    _run([*tool, "init", config.name, session.name], root)
    tried = _sample(session, most, seed)
    _run([*tool, "exec", config.name, session.name], root)
    found = [json.loads(line) for line in _run([*tool, "dump", session.name], root).split("\n") if line]
    return Survey(module, tried, tuple(sorted(_survivors(found))))


def _sample(session: Path, most: int, seed: int) -> int:
    """Leave so many work items at most, drawn by what they change, and say how many are left."""
    with closing(sqlite3.connect(session)) as database, database:
        wanted = " AND ".join("operator_name NOT LIKE ?" for _ in MEANINGLESS)
        rows = database.execute(
            f"SELECT job_id FROM mutation_specs WHERE {wanted} ORDER BY operator_name, occurrence",
            MEANINGLESS,
        ).fetchall()
        kept = random.Random(seed).sample(rows, min(most, len(rows)))
        database.execute("CREATE TEMP TABLE kept (job_id)")
        database.executemany("INSERT INTO kept VALUES (?)", kept)
        for table in ("mutation_specs", "work_items"):
            database.execute(f"DELETE FROM {table} WHERE job_id NOT IN (SELECT job_id FROM kept)")
        return len(kept)


def _survivors(found: Sequence[Sequence[dict[str, str] | None]]) -> Iterator[str]:
    for _item, result in found:
        if result is not None and result.get("test_outcome") == "survived":
            yield result["diff"]


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def main() -> None:
    """Print the survivors of every module asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only modules whose path holds one of these")
    parser.add_argument("--most", type=int, default=20, help="mutants of a module that are tried at most")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    asked = parser.parse_args()
    chosen = {
        module: tests
        for module, tests in TARGETS.items()
        if not asked.words or any(word in module for word in asked.words)
    }
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        root = Path(name)
        for part in COPIED:
            source = Path(part)
            ignore = shutil.ignore_patterns("__pycache__")
            _ = shutil.copytree(part, root / part, ignore=ignore) if source.is_dir() else shutil.copy(part, root / part)
        for module, tests in chosen.items():
            found = survey(root, module, tests, asked.most, asked.seed)
            print(f"\n== {module}: {len(found.survivors)} of {found.tried} mutants survive", flush=True)
            for diff in found.survivors:
                print(diff)


if __name__ == "__main__":
    main()
