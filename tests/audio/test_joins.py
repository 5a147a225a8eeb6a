"""Two tracks become one stream of samples: trimmed, resampled over the join, replaced, crossed, repeated."""

import time
import tracemalloc

import numpy as np
import pytest
import soxr

from bench.audio.sine import FORMATS, PART_SECONDS, Part, judge, write_cut
from player.audio.deck import LAST_CALL_SECONDS, Deck, Way
from player.audio.limiter import MARGIN_DB
from player.audio.messages import CEILING_DB, Load
from player.audio.mixer import Listeners, Mixer
from player.audio.resampling import Resampler
from player.audio.source import AudioSource
from tests.support.tones import write_tones

RATE = 44_100
BLOCK = 2048


class Tape:
    """Decks through a mixer, as fast as they decode."""

    def __init__(self, rate=RATE):
        self.rate, self.decks, self.joined = rate, [], []
        listeners = Listeners(lambda _deck: None, lambda _deck: None, lambda *decks: self.joined.append(decks))
        self.mixer = Mixer(rate, listeners, playing=True)

    def deck(self, path, position=0.0, gain_db=0.0, excess_db=0.0, **named):
        track = Load(str(path), position, len(self.decks), True, gain_db, excess_db)
        deck = Deck(track, self.rate, lambda _deck: None, **named)
        self.decks.append(deck)
        return deck

    def follow(self, path, crossfade=0.0, **named):
        before, deck = self.decks[-1], self.deck(path, joins=crossfade == 0, **named)
        before.lead(deck)
        self.mixer.follow(deck, crossfade)
        return deck

    def play(self, deck):
        deck.stand_alone()
        self.mixer.switch(deck)

    def render(self, seconds):
        out = np.zeros((int(seconds * self.rate), 2), np.float32)
        for start in range(0, len(out), BLOCK):
            self._wait_for_decoder()
            self.mixer.render(out[start : start + BLOCK])
        return out

    def _wait_for_decoder(self):
        """Nothing here plays in real time, so decoders have not the seconds that they have then."""
        deadline = time.monotonic() + 20
        while any(self._behind(deck) for deck in self.decks) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _behind(self, deck):
        if deck.ring.finished or deck._closing.is_set():
            return False
        if deck._at_end.is_set() and deck._follower is None:  # its last samples wait for what may still follow
            return deck.ring.available <= LAST_CALL_SECONDS * self.rate
        return deck.ring.available < self.rate // 2 or deck._at_end.is_set()


@pytest.fixture
def tape():
    made = []

    def make(rate=RATE):
        made.append(Tape(rate))
        return made[-1]

    yield make
    for one in made:
        for deck in one.decks:
            deck.close()


def joined(tape, folder, parts, rate=RATE):
    paths, seconds = write_cut(folder, parts)
    machine = tape(rate)
    machine.play(machine.deck(paths[0]))
    machine.follow(paths[1])
    out = machine.render(seconds + 0.5)
    assert len(machine.joined) == 1
    assert machine.mixer.underruns == 0
    return out, seconds


@pytest.mark.parametrize("name", ["FLAC", "MP3", "Opus", "M4A"])
def test_two_halves_of_a_sine_are_one_in_every_format(tape, tmp_path, name):
    out, seconds = joined(tape, tmp_path, (FORMATS[name], FORMATS[name]))
    found = judge(out, seconds)
    assert found.silent == 0
    assert abs(found.shift) < 0.5
    assert abs(found.length) <= 3  # the first samples of a sine are below what counts as sound


@pytest.mark.parametrize(
    "parts",
    [
        (FORMATS["FLAC"], FORMATS["Opus"]),
        (Part(".flac", "flac", 96_000), FORMATS["FLAC"]),
        (Part(".flac", "flac", layout="mono"), FORMATS["FLAC"]),
    ],
)
def test_halves_of_other_rates_and_channels_join(tape, tmp_path, parts):
    found = judge(*joined(tape, tmp_path, parts))
    assert (found.silent, round(found.shift)) == (0, 0)
    assert abs(found.length) <= 3


def test_a_resampler_hears_over_the_join(tape, tmp_path):
    out, seconds = joined(tape, tmp_path, (FORMATS["FLAC"], FORMATS["FLAC"]), rate=48_000)
    count = sum(int(part * 44_100) for part in PART_SECONDS)
    sine = 0.4 * np.sin(2 * np.pi * 441 * np.arange(count) / 44_100)
    whole = soxr.resample(sine.astype(np.float32), 44_100, 48_000, quality="HQ")
    inner = slice(2000, int(seconds * 48_000) - 2000)
    assert np.abs(out[inner, 0] - whole[inner]).max() < 1e-4, "16 bits of the file apart, as if it had never been cut"


@pytest.mark.parametrize(("rate", "wanted"), [(8_000, 48_000), (192_000, 44_100), (44_101, 48_000)])
def test_what_comes_out_is_as_long_as_what_went_in(rate, wanted):
    resampler = Resampler(wanted)
    pieces = [resampler.convert(rate, np.zeros((999, 2), np.float32)) for _ in range(50)]
    assert sum(map(len, [*pieces, resampler.flush()[0]])) == round(999 * 50 * wanted / rate)


def test_a_track_that_was_to_follow_gives_way_to_another(tape, tmp_path):
    first, second, third = (write_tones(tmp_path / f"{hertz}.wav", [(hertz, 1.0)]) for hertz in (441, 882, 1323))
    machine = tape()
    machine.play(machine.deck(first))
    replaced = machine.follow(second)
    machine.render(0.5)
    third_deck = machine.deck(third, joins=True)
    machine.decks[0].lead(third_deck)
    assert machine.mixer.follow(third_deck), "the other was not taken yet"
    replaced.close()
    third_deck.join(5)
    after = machine.render(1.0)[RATE // 2 :, 0]
    expected = 0.5 * np.sin(2 * np.pi * 1323 * np.arange(len(after)) / RATE)
    assert np.abs(after - expected).max() < 1e-3


def test_a_crossfade_keeps_the_power_and_tells_the_next_track_once(tape, tmp_path):
    first, second = write_tones(tmp_path / "a.wav", [(441, 3.0)]), write_tones(tmp_path / "b.wav", [(1323, 3.0)])
    machine = tape()
    machine.play(machine.deck(first))
    machine.follow(second, crossfade=1.0)
    out = machine.render(5.0)
    assert len(machine.joined) == 1
    tenths = np.sqrt(np.mean(np.square(out[: RATE // 10 * 49, 0].reshape(49, -1)), axis=1))
    assert tenths == pytest.approx(0.5 / 2**0.5, rel=0.06), "two tones cross without a dip or a bump"


def test_a_part_is_repeated_without_a_gap(tape, tmp_path):
    path = write_tones(tmp_path / "a.wav", [(441, 1.0), (882, 1.0)])
    machine = tape()
    machine.play(machine.deck(path, position=0.5, way=Way(repeat=(0.5, 1.5))))
    out = machine.render(3.0)[:, 0]
    assert np.abs(out[RATE : 2 * RATE] - out[2 * RATE :]).max() < 1e-6
    assert 0.5 <= machine.decks[0].place(machine.decks[0].ring.consumed) <= 1.5


def test_speed_changes_the_time_and_not_the_pitch(tape, tmp_path):
    machine = tape()
    deck = machine.deck(write_tones(tmp_path / "a.wav", [(441, 4.0)]), way=Way(speed=2.0))
    machine.play(deck)
    out = machine.render(1.0)
    assert np.abs(np.fft.rfft(out[:, 0])).argmax() == pytest.approx(441, abs=3)
    assert deck.place(deck.ring.consumed) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_limited_album_joins_without_a_seam(tape, tmp_path, rate):
    paths, seconds = write_cut(tmp_path, (FORMATS["FLAC"], FORMATS["FLAC"]))
    machine = tape(rate)
    machine.play(machine.deck(paths[0], gain_db=9.0, excess_db=2.0))
    machine.follow(paths[1], gain_db=9.0, excess_db=2.0)
    out = machine.render(seconds + 0.5)
    ceiling = 10 ** ((CEILING_DB - MARGIN_DB) / 20)
    join = int(PART_SECONDS[0] * rate)
    around = np.abs(out[join - 4410 : join + 4410, 0]).reshape(-1, 441)
    assert len(machine.joined) == 1
    assert around.max(axis=1) == pytest.approx(ceiling, rel=0.01), "neither louder nor softer at the join"
    assert judge(out / 2, seconds).silent == 0


def test_the_callback_makes_no_arrays(tape, tmp_path):
    machine = tape()
    deck = machine.deck(write_tones(tmp_path / "a.wav", [(441, 3.0)]))
    machine.play(deck)
    deck.join(20)  # what it allocates is not the callback's
    machine.render(0.5)
    machine.mixer.gains = (0.5, 0.7)
    out = np.zeros((BLOCK, 2), np.float32)
    machine.mixer.render(out)
    tracemalloc.start()
    try:
        machine.mixer.playing = False  # a fade is the most work there is
        for _ in range(8):
            machine.mixer.render(out)
        assert tracemalloc.get_traced_memory()[1] < out.nbytes / 2
    finally:
        tracemalloc.stop()


def test_a_chained_ogg_is_as_long_as_its_links_and_plays_through_all(tmp_path):
    one, two = (
        write_tones(tmp_path / f"{rate}.opus", [(440, 1.0)], rate=48_000, layout=layout)
        for rate, layout in ((1, "mono"), (2, "stereo"))
    )
    chain = tmp_path / "chain.opus"
    data = two.read_bytes()
    chain.write_bytes(one.read_bytes() + data)
    with AudioSource(str(chain)) as source:
        lengths = sum(len(samples) for _, samples in source.native(0.0))
        assert source.duration == pytest.approx(2.0, abs=0.03)
    assert lengths == pytest.approx(2 * 48_000, abs=2)
