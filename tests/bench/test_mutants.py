"""The modules whose mutants are tried, and the sample of them."""

from pathlib import Path

import pytest

from bench.mutants import TARGETS, _mutants


def test_every_module_and_the_tests_that_mirror_it_are_there():
    root = Path(__file__).parents[2]
    for module, tests in TARGETS.items():
        assert (root / module).is_file()
        assert tests
        assert all((root / test).is_file() for test in tests)


def test_the_same_seed_tries_the_same_changes_and_none_that_mean_nothing(tmp_path):
    pytest.importorskip("cosmic_ray", reason="needs the group mutants, which make mutants installs")
    path = tmp_path / "module.py"
    path.write_text(
        "def total(values, most=9):\n    return sum(v | 1 for v in values if v < most and v != 3) * 2 + 1\n"
    )
    one, same, other, all_ = ([m.diff for m in _mutants(path, *asked)] for asked in ((4, 0), (4, 0), (4, 1), (None, 0)))
    assert one == same != other
    assert len(one) == 4 < len(all_)
    assert not any("ReplaceBinaryOperator_BitOr" in diff for diff in all_)
