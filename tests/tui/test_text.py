import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from player.stations.snapshot import Measure
from player.tui.text import (
    BLOCKS,
    bar,
    clock,
    column,
    count,
    count_if_any,
    fit,
    left_over,
    number,
    plain,
    right,
    shares,
    sparkline,
    tail,
)
from player.tui.widgets.diversity import flow
from player.tui.widgets.styled_text import Ink, spread, width_of

ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT, st.integers(0, 50))
def test_a_column_is_exactly_as_wide_as_asked(text, width):
    assert cell_len(column(text, width)) == width
    assert cell_len(right(text, width)) == width


@given(ANY_TEXT, st.integers(0, 50))
def test_the_tail_of_a_path_fits_and_ends_as_the_path_does(path, width):
    shown = tail(path, width)
    assert cell_len(shown) <= width
    assert plain(path).endswith(shown.removeprefix("…"))


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (40, "/music/Bezdin Ensemble/Fandango.mp3"),
        (30, "…/Bezdin Ensemble/Fandango.mp3"),
        (26, "…din Ensemble/Fandango.mp3"),
        (15, "…/Fandango.mp3"),
        (10, "…dango.mp3"),
        (0, ""),
    ],
)
def test_of_a_long_path_the_file_is_what_is_seen(width, expected):
    assert tail("/music/Bezdin Ensemble/Fandango.mp3", width) == expected


@given(ANY_TEXT)
def test_plain_text_has_nothing_a_terminal_obeys(text):
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u2028" for c in plain(text))
    plain(text).encode()


def test_plain_leaves_every_script_alone():
    text = "Sigur Rós – Ágætis byrjun 坂本 龍一 Дельфин عبد الحليم 👩‍🎤"
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 10, "short"),
        ("one two three four", 14, "one two three…"),
        ("one two three four", 12, "one two…"),
        ("Donaudampfschifffahrt", 10, "Donaudamp…"),
        ("a, b", 3, "a…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("羽の林で", 6, "羽の…"),
    ],
)
def test_text_is_cut_between_words_where_that_wastes_little(text, width, expected):
    assert fit(text, width) == expected


@given(st.integers(0, 300), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_shares_use_all_the_room(width, weights):
    assert sum(shares(width, weights)) == width


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0:00"),
        (59.9, "0:59"),
        (245, "4:05"),
        (3723, "1:02:03"),
        (-3, "0:00"),
        (math.nan, "–:––"),
        (math.inf, "–:––"),
    ],
)
def test_times_read_as_on_a_sleeve(seconds, expected):
    assert clock(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.2, "0 s left"), (45, "45 s left"), (150, "2 min left"), (math.inf, "")]
)
def test_remaining_times_are_no_more_exact_than_they_can_be(seconds, expected):
    assert left_over(seconds) == expected


def test_numbers_and_counts_are_for_people():
    assert (number(0.416), number(math.nan)) == ("0.42", "–")
    assert (count(1, "track"), count(100_000, "track")) == ("1 track", "100,000 tracks")
    assert (count_if_any(1, "track"), count_if_any(0, "track")) == ("1 track", "")


def test_a_sparkline_goes_from_its_lowest_to_its_highest_value():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == BLOCKS
    assert sparkline([5, 5, 5], 5) == "  ▄▄▄"
    assert sparkline([9, 0, 1], 2) == "▁█"
    assert sparkline([math.nan, 1, 2], 4) == "  ▁█"
    assert sparkline([], 3) == "   "


@given(st.lists(st.floats(), max_size=30), st.integers(0, 20))
def test_a_sparkline_is_as_wide_as_asked_for_any_values(values, width):
    assert len(sparkline(values, width)) == width


@given(st.floats(), st.integers(0, 200))
def test_a_bar_is_as_wide_as_asked_for_any_share(share, width):
    done, rest = bar(share, width)
    assert len(done) + len(rest) == width


def test_a_bar_shows_half_cells():
    assert bar(0.5, 4) == ("━━", "──")
    assert bar(0.625, 4) == ("━━╸", "─")
    assert bar(1, 4) == ("━━━━", "")


def test_what_does_not_fit_on_the_right_is_left_out_whole():
    left, facts = [("title", Ink.TEXT)], [("facts", Ink.DIM)]
    assert width_of(spread(left, facts, 20)) == 20
    assert spread(left, facts, 10) == left


@pytest.mark.slow
@given(
    st.lists(
        st.builds(
            Measure,
            st.sampled_from(["Gini", "artist entropy", "intra-list distance", "coverage"]),
            st.floats(0, 9),
            st.floats(0, 9),
            st.lists(st.floats(0, 9), max_size=9).map(tuple),
            st.booleans(),
            ends=st.sampled_from([None, ("alike", "different"), ("few artists", "many artists")]),
        ),
        max_size=7,
    ),
    st.integers(0, 120),
)
def test_flowing_measures_stay_within_their_room_and_whole(measures, width):
    line = flow(tuple(measures), width)
    assert width_of(line) <= width
    ends = {measure.ends[1] for measure in measures if measure.ends is not None}
    assert all(text.strip() in ends for text, ink in line if ink is Ink.TEXT)


@pytest.mark.parametrize(
    ("higher_is_better", "after", "change", "ink"),
    [(True, 0.6, "↗ more", Ink.GOOD), (True, 0.4, "↘ less", Ink.BAD), (False, 0.6, "↘ less", Ink.BAD),
     (False, 0.4, "↗ more", Ink.GOOD), (True, 0.501, "→ same", Ink.DIM), (True, math.nan, "→ same", Ink.DIM)],
)  # fmt: skip
def test_the_change_says_whether_the_queue_is_more_varied_by_a_sign_a_word_and_a_colour(
    higher_is_better, after, change, ink
):
    measure = Measure("Gini index", 0.5, after, (0.5,), higher_is_better, ends=("few artists", "many artists"))
    assert flow((measure,), 80)[-1] == (change, ink)
