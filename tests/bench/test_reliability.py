"""The reliability benchmark in small: what it tries is survived."""

import pytest

from bench import reliability
from bench.audio.damage import damaged_files

pytestmark = pytest.mark.slow

FELL: tuple[int, ...] = ()
"""Files that something fell over once."""


def assert_survived(outcome):
    assert (outcome.survived, outcome.lost) == (outcome.tried, 0), outcome


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path):
    assert_survived(reliability.kills(tmp_path, 2, seed=1))


def test_a_killed_player_loses_nothing_it_told(tmp_path):
    outcome = reliability.player_kills(tmp_path, 1, seed=1)
    assert_survived(outcome)
    assert outcome.note.startswith("0 ")


def test_damaged_files_of_every_format_are_told_as_such(tmp_path):
    assert_survived(damaged_files(tmp_path, [*range(40), *FELL], seed=0))


def test_writers_at_once_all_get_their_turn(tmp_path):
    assert_survived(reliability.writers(tmp_path, 3, 5))


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path):
    outcome = reliability.full_disk(tmp_path)
    if not outcome.tried:
        pytest.skip(outcome.note)
    assert_survived(outcome)


def test_a_run_is_watched(tmp_path):
    outcome, seen = reliability.long_run(tmp_path, 0.15)
    assert outcome.lost == 0
    assert seen[-1][2].files > 0
