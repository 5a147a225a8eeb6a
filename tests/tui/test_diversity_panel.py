"""The diversity panel's sentence: whole or not at all, and never in the way of the figures."""

import pytest

from player.tui.widgets.diversity import wrapped

SENTENCE = "Narrower than the 100 plays before: 5 artists made half of your last 100 plays; > widens it."


@pytest.mark.parametrize("width", [20, 34, 60])
def test_a_sentence_is_wrapped_whole_between_words(width):
    lines = wrapped(SENTENCE, width, height=40)
    assert " ".join(lines) == SENTENCE
    assert all(len(line) <= width for line in lines)


def test_a_sentence_that_would_crowd_the_figures_out_is_left_out():
    assert wrapped(SENTENCE, 34, height=8) == []
    assert wrapped(SENTENCE, 0, height=40) == []


def test_no_sentence_takes_no_line():
    assert wrapped("", 34, height=40) == []
