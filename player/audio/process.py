"""The audio process: commands in, events out, one control thread in between.

Everything that happens (a command, a deck that ended, a device that went away) passes through one queue, so engines need
no locks. A reader thread does nothing but fill it; when the pipe closes, the process ends, however stuck it may be.
"""

import logging
import os
import time
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import BinaryIO

from player.audio.engine import Engine
from player.audio.messages import (
    Alive,
    Command,
    Event,
    Load,
    Pause,
    Ping,
    Play,
    Prepare,
    PrepareNothing,
    ProtocolError,
    Quit,
    Ready,
    RepeatPart,
    Seek,
    SetDevice,
    SetSpeed,
    SetVolume,
    Stop,
    Watch,
    decode_command,
    encode,
)
from player.audio.meters import METERS_PER_SECOND, SoundMeter
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
        self._meter: SoundMeter | None = None
        self._next_meters = inf
        self._inbox: SimpleQueue[Command | Callable[[], None]] = SimpleQueue()

    def run(self, engine_name: str, device: str | None, *, wait_for_device: bool = False) -> None:
        """Serve until Quit or the end of the commands."""
        Thread(target=self._read, name="commands", daemon=True).start()
        engine, note = open_engine(engine_name, device, self._emit, self._inbox.put, wait_for_device=wait_for_device)
        self._emit(Ready(engine.name, engine.device, note, engine.cannot))
        self._serve(engine)
        engine.close()

    def _serve(self, engine: Engine) -> None:
        next_report, told = time.monotonic() + REPORT_SECONDS, None
        while True:
            item = self._next(min(next_report, self._next_meters) - time.monotonic())
            if isinstance(item, Quit):
                return
            if time.monotonic() >= self._next_meters:
                self._tell_meters(engine)
            if isinstance(item, Ping):
                self._emit(Alive())
            elif isinstance(item, Watch):
                self._watch(engine, on=item.on)
            elif isinstance(item, Command):
                _obey(engine, item)
            elif item is not None:
                item()
            if isinstance(item, Command) or time.monotonic() >= next_report:
                engine.check()
                position = engine.position()
                if position is not None and position != told:
                    self._emit(position)
                moving = position is not None and (position.playing or position != told)
                next_report, told = time.monotonic() + (REPORT_SECONDS if moving else IDLE_SECONDS), position

    def _watch(self, engine: Engine, *, on: bool) -> None:
        """Begin to measure, or end it."""
        self._meter, self._next_meters = None, inf
        rate = engine.watch(None)
        if on and rate:
            self._meter, self._next_meters = SoundMeter(rate), time.monotonic()
            engine.watch(self._meter.take)

    def _tell_meters(self, engine: Engine) -> None:
        position = engine.position()
        self._next_meters = time.monotonic() + 1 / METERS_PER_SECOND
        if self._meter is not None and position is not None and position.playing:
            self._emit(self._meter.measure(engine.unheard()))

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


def _obey(engine: Engine, command: Command) -> None:  # noqa: C901 - one line a command
    match command:
        case Load():
            engine.load(command)
        case Prepare():
            engine.prepare(command)
        case PrepareNothing():
            engine.prepare_nothing()
        case Play():
            engine.play()
        case Pause(fade_seconds):
            engine.pause(fade_seconds)
        case Seek(seconds):
            engine.seek(seconds)
        case SetVolume():
            engine.set_volume(command)
        case SetSpeed(speed):
            engine.set_speed(speed)
        case RepeatPart(start, end):
            engine.repeat_part(start, end)
        case SetDevice(name):
            engine.set_device(name)
        case Stop():
            engine.stop()
        case Quit() | Watch() | Ping():
            raise AssertionError("followed before")
