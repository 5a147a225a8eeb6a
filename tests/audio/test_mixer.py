"""The mixer over real decks: what the device gets, sample by sample."""

import time

import numpy as np
import pytest

from player.audio.deck import Deck
from player.audio.fader import CHUNK
from player.audio.messages import Load
from player.audio.mixer import FADE_SECONDS, Listeners, Mixer
from tests.support.tones import write_tones

RATE = 44_100
FADE = int(FADE_SECONDS * RATE)
BLOCK = 256


class Rig:
    def __init__(self):
        self.started, self.ended, self.joined, self.decks = [], [], [], []
        listeners = Listeners(self.started.append, self.ended.append, lambda *decks: self.joined.append(decks))
        self.mixer = Mixer(RATE, listeners)
        self.mixer.playing = True

    def deck(self, path, position=0.0):
        deck = Deck(Load(str(path), position, 1, play=True), RATE, lambda _deck: None)
        self.decks.append(deck)
        deadline = time.monotonic() + 5
        while not (deck.ring.finished or deck.ring.available == deck.ring.capacity) and time.monotonic() < deadline:
            time.sleep(0.005)
        return deck

    def render(self, frames):
        out = np.full((frames, 2), np.nan, np.float32)
        for start in range(0, frames, BLOCK):
            self.mixer.render(out[start : start + BLOCK])
        return out


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    for deck in rig.decks:
        deck.close()


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    return write_tones(tmp_path_factory.mktemp("mixer") / "tone.wav", [(441, 3.0)])


def steepest(samples):
    return float(np.abs(np.diff(samples[:, 0])).max())


STEEPEST_OF_TONE = 0.5 * 2 * np.pi * 441 / RATE * 1.2
"""The largest step between neighbouring samples of the tone, with a fifth more for ramps."""


def test_without_a_deck_there_is_silence(rig):
    assert not rig.render(1000).any()


def test_every_sample_of_a_track_is_rendered_once_and_its_end_told_once(rig, tone):
    rig.mixer.switch(rig.deck(tone))
    out = rig.render(4 * RATE)
    expected = 0.5 * np.sin(2 * np.pi * 441 * np.arange(3 * RATE) / RATE)
    assert np.abs(out[FADE : 3 * RATE, 0] - expected[FADE:]).max() < 1e-3
    assert not out[3 * RATE :].any()
    assert len(rig.started) == len(rig.ended) == 1
    assert rig.mixer.underruns == 0


def test_a_track_follows_another_without_a_lost_or_changed_sample(rig, tone):
    first, second = rig.deck(tone, position=2.5), rig.deck(tone)
    rig.mixer.switch(first)
    before = rig.render(BLOCK * 100)
    assert rig.ended == [first]
    assert before[: RATE // 2].any()
    rig.mixer.switch(second)
    expected = 0.5 * np.sin(2 * np.pi * 441 * np.arange(BLOCK * 4) / RATE)
    assert np.abs(rig.render(BLOCK * 4)[:, 0] - expected).max() < 1e-3


def test_a_pause_is_silent_after_the_ramp_and_loses_no_more_than_it(rig, tone):
    deck = rig.deck(tone)
    rig.mixer.switch(deck)
    playing = rig.render(BLOCK * 40)
    at = deck.ring.consumed
    rig.mixer.playing = False
    paused = rig.render(BLOCK * 40)
    assert not paused[FADE + 1 :].any()
    assert deck.ring.consumed - at <= FADE + 1
    rig.mixer.playing = True
    resumed = rig.render(BLOCK * 40)
    assert resumed[FADE:].any()
    assert steepest(np.concatenate([playing, paused, resumed])) < STEEPEST_OF_TONE


def test_volume_changes_and_seeks_do_not_click(rig, tone):
    rig.mixer.switch(rig.deck(tone))
    parts = [rig.render(BLOCK * 20 + 7)]
    for amplitude in (0.1, 0.9, 0.0, 1.0):
        rig.mixer.gains = (amplitude, amplitude)
        parts.append(rig.render(BLOCK * 40))
    rig.mixer.switch(rig.deck(tone, position=1.2345))
    parts.append(rig.render(BLOCK * 40))
    rig.mixer.switch(None)
    parts.append(rig.render(BLOCK * 40))
    assert steepest(np.concatenate(parts)) < STEEPEST_OF_TONE
    assert not parts[-1][FADE + CHUNK :].any()


def test_a_muted_track_goes_on(rig, tone):
    deck = rig.deck(tone)
    rig.mixer.gains = (0.0, 0.0)
    rig.mixer.switch(deck)
    assert not rig.render(RATE).any()
    assert deck.place(deck.ring.consumed) == pytest.approx(1.0, abs=0.01)


def test_a_decoder_that_is_too_slow_is_counted_and_not_taken_for_the_end(rig, tone):
    deck = rig.deck(tone)
    rig.mixer.switch(deck)
    deck.close()  # as if its disk slept: no more frames come
    deck.join(2)
    deck.ring.finished = False
    rig.render(deck.ring.written + RATE)
    assert rig.mixer.underruns == 1
    assert rig.ended == []


def test_a_tracks_gain_is_applied(rig, tone):
    deck = Deck(Load(str(tone), 0.0, 1, play=True, gain_db=-20.0), RATE, lambda _deck: None)
    rig.decks.append(deck)
    deck.join(5)
    rig.mixer.switch(deck)
    assert np.abs(rig.render(RATE)).max() == pytest.approx(0.05, rel=0.01)


def test_a_track_chosen_while_a_pause_is_still_fading_sounds_when_the_music_goes_on_at_once(rig, tone):
    rig.mixer.switch(rig.deck(tone))
    rig.render(RATE)
    rig.mixer.playing = False
    rig.render(FADE // 4)
    rig.mixer.switch(rig.deck(tone))
    rig.render(FADE // 4)
    rig.mixer.playing = True
    out = rig.render(RATE)
    assert np.abs(out[FADE:]).max() > 0.4
    assert steepest(out) < 2 * STEEPEST_OF_TONE


def test_what_is_decoded_just_after_an_underrun_is_faded_in_whole_as_it_is(rig, tone):
    deck = rig.deck(tone)
    ring = deck.ring
    whole = np.zeros((ring.available, 2), np.float32)
    ring.read_into(whole)
    late = type(ring)(ring.capacity)
    late.write(whole[: RATE // 3])
    read_into = late.read_into

    def read_and_decode(out):
        count = read_into(out)
        if count < len(out) and not late.finished:
            late.write(whole[RATE // 3 : 2 * RATE])
            late.finished = True
        return count

    late.read_into = read_and_decode
    deck.ring = late
    rig.mixer.switch(deck)
    out = np.zeros((4 * RATE, 2), np.float32)
    for start in range(0, len(out), 4096):
        rig.mixer.render(out[start : start + 4096])
    assert rig.mixer.underruns == 1
    assert np.abs(out[RATE : int(1.5 * RATE)]).max() > 0.4
    assert len(rig.ended) == 1
