"""``player diversity`` on the demo library."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from player.cli.diversity import moment_of
from player.errors import UsageError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent

pytestmark = pytest.mark.slow

DAY = 86_400.0


@pytest.fixture
def heard(demo):
    """Sixty plays of the last ten days, and as many of the ten before."""
    now, tracks = time.time(), demo.track_ids
    EventStore(demo.database, "headless").append_all(
        [
            NewEvent(
                "finish",
                tracks[number % len(tracks)],
                1,
                60.0,
                "end",
                at_us=int((now - (119.5 - number) * DAY / 6) * 1e6),
            )
            for number in range(120)
        ]
    )
    return demo


def test_a_person_reads_a_sentence_figures_and_two_curves(heard, player):
    answer = player("diversity", "--since", "10d")
    assert answer.code == 0
    assert answer.out.startswith("About as varied as the 10 days before")
    for words in ("all stations", "Lorenz curve", "Gini of the last 100 plays", "Most played", "artist entropy"):
        assert words in answer.out
    assert any(0x2801 <= ord(letter) <= 0x28FF for letter in answer.out)


def test_a_script_gets_everything_and_both_files_are_written(heard, player, tmp_path):
    page, picture = tmp_path / "d.html", tmp_path / "d.png"
    document = player(
        "diversity", "--since", "10d", "--station", "Evening", "--json", "--html", page, "--png", picture
    ).document
    assert (document["plays"], document["station"], document["compared_plays"]) == (60, "Evening", 60)
    assert set(document["measures"]) == {
        "gini", "artist_entropy", "intra_list_distance", "coverage", "never_played", "repeat_rate",
    }  # fmt: skip
    change = document["measures"]["gini"]["change"]
    assert change["difference"] == pytest.approx(change["now"] - change["before"])
    assert document["measures"]["never_played"]["change"] is None
    assert document["lorenz"][-1] == [1.0, 1.0]
    assert document["gini_over_time"][-1]["gini"] <= 1
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert document["html"] == str(page)


def test_a_time_that_is_none_is_explained_and_is_wrong_usage(heard, player):
    answer = player("diversity", "--since", "soon")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "player: “soon” is no time to look back to; write 30d, 12h, 2w or a day such as 2026-10-01.\n"


def test_too_few_plays_are_a_sentence(demo, player):
    assert "from 20 on there is something to show" in player("diversity").sentence


def test_an_unknown_station_is_a_sentence(heard, player):
    assert "Mornin" in player("diversity", "--station", "Mornin").sentence


def test_nowhere_to_write_is_told_before_the_work(heard, player, tmp_path):
    assert "There is no folder" in player("diversity", "--html", tmp_path / "no" / "d.html").sentence
    assert "is a folder" in player("diversity", "--png", tmp_path).sentence


NOW = datetime(2026, 10, 20, 15, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        (" 2W ", timedelta(weeks=2)),
        ("1 d", timedelta(days=1)),
    ],
)
def test_a_duration_reaches_back_from_now(text, back):
    assert moment_of(text, NOW) == NOW - back


def test_a_day_begins_at_midnight_where_the_listener_is():
    assert moment_of("2026-10-01", NOW) == datetime(2026, 9, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "30",
        "d",
        "-3d",
        "1.5d",
        "30x",
        "2026-13-01",
        "2026-02-30",
        "٣d",
        "0d",
        "2026-10-21",
        "99999w",
        "0001-01-01",
    ],
)
def test_what_names_no_moment_in_the_past_is_explained_in_one_sentence(text):
    with pytest.raises(UsageError, match=r"write 30d, 12h, 2w or a day such as 2026-10-01\.$") as told:
        moment_of(text, NOW)
    assert "\n" not in str(told.value)
