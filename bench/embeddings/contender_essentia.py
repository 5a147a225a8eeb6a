"""Estimates tempo and key of the WAV files named on standard input with ``essentia``; prints one JSON list per file.

Run by the benchmark with the interpreter of another environment, so it imports nothing of this project. essentia is AGPL-3.0: a
yardstick here, nothing that the player could import.
"""

import json
import sys
import time
import wave

import essentia  # pyright: ignore[reportMissingImports] - installed in an environment of its own
import numpy as np
from essentia import standard  # pyright: ignore[reportMissingImports] - as above

essentia.log.infoActive = False
essentia.log.warningActive = False

RATE = 44100
"""Hz; what its rhythm algorithms demand."""
NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"": 0, "#": 1, "b": -1}
PROFILES = ("bgate", "temperley", "edma")
"""Its default; the classical one; one learnt from electronic music."""


def main() -> None:
    """Read, estimate, print."""
    for line in sys.stdin:
        samples = read(line.rstrip("\n"))
        print(json.dumps([*tempi(samples), *keys(samples)]), flush=True)


def read(path: str) -> np.ndarray:
    """A mono WAV file of 16 bits and 44.1 kHz as float32."""
    with wave.open(path) as file:
        assert file.getframerate() == RATE
        return (np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768).astype(np.float32)


def tempi(samples: np.ndarray) -> list[dict[str, object]]:
    """By its beat tracker (Zapata et al. 2014), and by Percival and Tzanetakis's method (2014), which tells no confidence."""
    started = time.process_time()
    bpm, _, confidence, _, _ = standard.RhythmExtractor2013(method="multifeature")(samples)
    tracked = time.process_time()
    percival = standard.PercivalBpmEstimator()(samples)
    return [
        estimate("tempo", "essentia multifeature", float(bpm), float(confidence), tracked - started),
        estimate("tempo", "essentia Percival", float(percival), 0.0, time.process_time() - tracked),
    ]


def keys(samples: np.ndarray) -> list[dict[str, object]]:
    """One estimate for each set of profiles."""
    found = []
    for profile in PROFILES:
        started = time.process_time()
        tonic, scale, strength = standard.KeyExtractor(profileType=profile)(samples)
        key = (NATURALS[tonic[0]] + ACCIDENTALS[tonic[1:]]) % 12 + (12 if scale == "minor" else 0)
        found.append(estimate("key", f"essentia {profile}", key, float(strength), time.process_time() - started))
    return found


def estimate(what: str, by: str, value: float, sureness: float, seconds: float) -> dict[str, object]:
    """One entry of the answer; a key is 0 for C major to 11 for B major, 12 for C minor to 23 for B minor."""
    return {"what": what, "by": by, "value": value, "sureness": sureness, "seconds": seconds}


main()
