"""Ctrl-C while something is worth keeping: the first asks to come to an end, the second ends at once."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_on_interrupt(stop: threading.Event, say: Callable[[str], None], sentence: str) -> Generator[None]:
    """Within it the first Ctrl-C sets ``stop`` and says the sentence; the next one interrupts as ever.

    Elsewhere than in the main thread nothing changes, nor where the signal is ignored, as in a shell's background.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()
        say(sentence)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
