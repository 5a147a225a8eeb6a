"""``python -m player.audio``: the audio process, started by the client and talking JSON lines with it."""

import argparse
import os
import sys

from player.audio.process import AudioProcess
from player.audio.selection import ENGINES
from player.logs import log_to_parent

SWITCH_INTERVAL_SECONDS = 0.001
"""The audio callback gets the interpreter back from the decoder within this; the default 5 ms is half a period."""


def main() -> None:
    """Serve commands from standard input until it closes."""
    parser = argparse.ArgumentParser(prog="python -m player.audio", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="auto")
    parser.add_argument("--device", default=None, help="part of the output device's name")
    parser.add_argument(
        "--wait-for-device", action="store_true", help="where there is none, wait instead of playing silently"
    )
    options = parser.parse_args()
    log_to_parent()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    with os.fdopen(_claim_stdout(), "wb") as events:
        AudioProcess(sys.stdin.buffer, events).run(
            options.engine, options.device, wait_for_device=options.wait_for_device
        )
        events.flush()
    # Libraries of the device's system may hang in their exit handlers; nothing is left to be saved.
    os._exit(0)


def _claim_stdout() -> int:
    """Keep the event pipe for events: whatever else prints, in C too, goes to standard error."""
    events = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return events


if __name__ == "__main__":
    main()
