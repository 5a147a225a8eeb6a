"""Where the listener stopped is kept, and a spoilt note of it is no reason to fail."""

import pytest

from player.stations.resume import KEY, ResumePoint, load_resume_point, save_resume_point
from player.storage.models import PlayerState


def keep(database, text):
    with database.session() as session:
        session.merge(PlayerState(key=KEY, value=text))


def test_nothing_kept_is_the_beginning(database):
    assert load_resume_point(database) == ResumePoint()


def test_the_last_place_kept_is_the_one_found(database):
    save_resume_point(database, ResumePoint(1, 2, 3.5))
    point = ResumePoint(2, 5, 71.25, playing=False, volume=0.5, decision_id=9, reason="like “Wörds”")
    save_resume_point(database, point)
    assert load_resume_point(database) == point


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[1]",
        "7",
        '"x"',
        '{"mood": 1}',
        '{"volume": 7}',
        '{"position": -1}',
        '{"position": "late"}',
        '{"position": NaN}',
    ],
)
def test_a_note_that_makes_no_sense_is_the_beginning(database, text):
    keep(database, text)
    assert load_resume_point(database) == ResumePoint()
