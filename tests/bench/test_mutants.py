"""The modules whose mutants are tried, and the sample of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bench.mutants import MEANINGLESS, TARGETS, _sample


def test_every_module_and_the_tests_that_mirror_it_are_there():
    root = Path(__file__).parents[2]
    for module, tests in TARGETS.items():
        assert (root / module).is_file()
        assert tests
        assert all((root / test).is_file() for test in tests)


def session(path):
    """A session of cosmic-ray, as far as the sample looks at it: its ids are drawn anew each time."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE work_items (job_id)")
        database.execute("CREATE TABLE mutation_specs (job_id, operator_name, occurrence)")
        names = ["core/NumberReplacer", MEANINGLESS[0].replace("%", "Add"), "core/AddNot"]
        for occurrence in range(10):
            for name in names:
                job = f"{path.name} {name} {occurrence}"
                database.execute("INSERT INTO work_items VALUES (?)", (job,))
                database.execute("INSERT INTO mutation_specs VALUES (?, ?, ?)", (job, name, occurrence))
    return path


def changes(path):
    with closing(sqlite3.connect(path)) as database:
        items = {job for (job,) in database.execute("SELECT job_id FROM work_items")}
        specs = database.execute("SELECT job_id, operator_name, occurrence FROM mutation_specs").fetchall()
    assert items == {job for job, *_ in specs}
    return sorted(change for _, *change in specs)


def test_the_same_seed_tries_the_same_changes_and_none_that_mean_nothing(tmp_path):
    one, same, other, all_ = (session(tmp_path / name) for name in ("one", "same", "other", "all"))
    assert [_sample(one, 8, 0), _sample(same, 8, 0), _sample(other, 8, 1), _sample(all_, 99, 0)] == [8, 8, 8, 20]
    assert changes(one) == changes(same) != changes(other)
    assert not any("BitOr" in name for name, _ in changes(all_))
