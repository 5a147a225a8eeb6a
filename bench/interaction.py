"""What a press waits for, at 100,000 tracks: scoring, the running update, and the first sound."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event

import numpy as np

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.demo import demo_music
from recommender.configuration import SequentialConfig
from recommender.models.numpy_inference import SequenceScorer, Tokens
from recommender.models.online_update import fit_head
from recommender.models.parameter_shapes import sequence_shapes
from recommender.training.sequential_recommender import ESASREC

TRACKS = 100_000
LABELS = 500
DIMENSION = 64
TIMES = 15
IMPORT = (
    "import time, textual.app, textual.widgets, textual.containers, textual.screen, textual.scroll_view, textual.theme\n"
    "from textual.widgets import Input, Static\n"
    "began = time.process_time(); import player.tui.app; print(time.process_time() - began)"
)


def main() -> None:
    """Print milliseconds, the median and the slowest of some tries."""
    rng = np.random.default_rng(0)
    for name, config in (("as retrained", SequentialConfig()), ("eSASRec", ESASREC)):
        show(f"sequence scores, {name}", scoring(config, rng))
    features = rng.standard_normal((LABELS, DIMENSION))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    labels, ones = rng.choice([-1, 1], LABELS), np.ones(LABELS)
    show(f"running update, {LABELS} labels", lambda: fit_head(features, labels, ones, np.zeros(LABELS)))
    firsts = [first_sound() for _ in range(3)]
    print(f"first sound after a command, audio process included  {min(firsts) * 1000:8.0f} ms (best of 3)")
    imports = [float(subprocess.check_output([sys.executable, "-c", IMPORT], text=True)) for _ in range(4)]
    print(f"importing the screen beyond Textual                  {min(imports) * 1000:8.0f} ms (best of 4)")


def show(what: str, call: Callable[[], object]) -> None:
    """Time a call."""
    call()
    taken: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{what:<52} {statistics.median(taken):8.1f} ms, at most {max(taken):.1f}")


def scoring(config: SequentialConfig, rng: np.random.Generator) -> Callable[[], object]:
    """The transformer's scores of all tracks after a full history, with weights at random."""
    heard = 5_000
    shapes = sequence_shapes(config, DIMENSION, heard, 1)
    arrays = {name: (rng.standard_normal(shape) * 0.05).astype(np.float32) for name, shape in shapes.items()}
    arrays |= {"content.mean": np.zeros(DIMENSION, np.float32), "content.scale": np.ones(DIMENSION, np.float32)}
    vectors = rng.standard_normal((TRACKS, DIMENSION)).astype(np.float32)
    row = np.zeros(TRACKS, np.int64)
    row[:heard] = np.arange(1, heard + 1)
    scorer = SequenceScorer(arrays, config, vectors, row, np.array([1]))
    last = rng.integers(0, heard, config.length)
    tokens = Tokens(last, rng.integers(1, 8, config.length), np.zeros(config.length, np.int64))
    return lambda: scorer.scores(tokens, 0)


def first_sound() -> float:
    """Seconds from starting the audio process to the first samples at the device."""
    started = Event()
    began = time.perf_counter()
    client = AudioClient(lambda event: started.set() if isinstance(event, audio.Started) else None)
    client.send(audio.Load(str(next(iter(demo_music().rglob("*.opus")))), 0.0, 1, play=True))
    if not started.wait(10.0):
        sys.exit("No sound within ten seconds; see `player doctor`.")
    taken = time.perf_counter() - began
    client.close()
    return taken
