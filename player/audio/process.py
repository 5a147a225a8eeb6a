"""The audio process: commands in, events out, one control thread in between.

Everything that happens (a command, a deck that ended, a device that went away) passes through one queue, so engines need
no locks. A reader thread does nothing but fill it; when the pipe closes, the process ends, however stuck it may be.
"""

import logging
import os
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import BinaryIO

from player.audio.engine import Engine
from player.audio.messages import (
    Command,
    Event,
    Load,
    Pause,
    Play,
    Prepare,
    ProtocolError,
    Quit,
    Ready,
    Seek,
    SetVolume,
    Stop,
    decode_command,
    encode,
)
from player.audio.selection import open_engine

_LOG = logging.getLogger(__name__)

REPORT_SECONDS = 0.25
"""How often the position is told while the music moves: a progress bar needs no more."""

IDLE_SECONDS = 1.0
"""How often the engine is looked after while nothing moves, and nothing is told."""

EXIT_SECONDS = 2.0
"""How long an orderly end may take after the pipe closed."""


class AudioProcess:
    """Runs one engine by the commands of one pipe."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        """Read commands from one stream of lines, write events to another."""
        self._commands = commands
        self._events = events
        self._writing = Lock()
        self._inbox: SimpleQueue[Command | Callable[[], None]] = SimpleQueue()

    def run(self, engine_name: str, device: str | None, *, wait_for_device: bool = False) -> None:
        """Serve until Quit or the end of the commands."""
        Thread(target=self._read, name="commands", daemon=True).start()
        engine, note = open_engine(engine_name, device, self._emit, self._inbox.put, wait_for_device=wait_for_device)
        self._emit(Ready(engine.name, engine.device, note))
        self._serve(engine)
        engine.close()

    def _serve(self, engine: Engine) -> None:
        next_report, told = time.monotonic() + REPORT_SECONDS, None
        while True:
            item = self._next(next_report - time.monotonic())
            if isinstance(item, Quit):
                return
            if item is None:
                engine.check()
            elif isinstance(item, Command):
                _obey(engine, item)
            else:
                item()
            if item is None or isinstance(item, Command):
                position = engine.position()
                if position is not None and position != told:
                    self._emit(position)
                moving = position is not None and (position.playing or position != told)
                next_report, told = time.monotonic() + (REPORT_SECONDS if moving else IDLE_SECONDS), position

    def _next(self, timeout: float) -> Command | Callable[[], None] | None:
        """What comes next, None when a report is due before anything does."""
        try:
            return self._inbox.get(timeout=max(0.0, timeout))
        except Empty:
            return None

    def _emit(self, event: Event) -> None:
        try:
            with self._writing:
                self._events.write(encode(event))
                self._events.flush()
        except (BrokenPipeError, ValueError):
            self._inbox.put(Quit())  # nobody listens any more

    def _read(self) -> None:
        for line in self._commands:
            try:
                self._inbox.put(decode_command(line))
            except ProtocolError as error:
                _LOG.warning("Passed over a command: %s.", error)
        self._inbox.put(Quit())
        time.sleep(EXIT_SECONDS)
        os._exit(0)


def _obey(engine: Engine, command: Command) -> None:
    match command:
        case Load():
            engine.load(command)
        case Prepare():
            engine.prepare(command)
        case Play():
            engine.play()
        case Pause():
            engine.pause()
        case Seek(seconds):
            engine.seek(seconds)
        case SetVolume(level):
            engine.set_volume(level)
        case Stop():
            engine.stop()
        case Quit():
            raise AssertionError("Quit ends the loop before")
