"""How far back: what a listener may write, and what is explained when it is nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from player.errors import UsageError
from player.insight.timespec import length_in_words, moment_of

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


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(hours=12), "12 hours"),
        (timedelta(days=30), "30 days"),
        (timedelta(minutes=20), "1 hour"),
        (timedelta(days=2.4), "2 days"),
    ],
)
def test_a_span_is_told_in_words(span, words):
    assert length_in_words(span) == words
