"""The player's end of the audio process: commands go in, events come out, and a dead child is replaced.

Only the standard library is imported here, so the user interface starts fast and never decodes anything itself.
"""

import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread, current_thread
from types import TracebackType
from typing import IO, Self

from player import logs
from player.audio.messages import (
    DEVICE_HANGS,
    Alive,
    Command,
    DeviceChanged,
    DeviceLost,
    Event,
    Failed,
    Finished,
    GaveUp,
    Load,
    Pause,
    Ping,
    Play,
    Position,
    Prepare,
    PrepareNothing,
    ProtocolError,
    Quit,
    Ready,
    Restarted,
    Seek,
    SetDevice,
    SetSpeed,
    SetVolume,
    Started,
    Stop,
    Watch,
    decode_event,
    encode,
)
from player.children import own
from player.text import printable

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""For glibc: heaps of their own for the child's threads, which wait for one another's sound anyway, would take 5 MB."""
_LOG = logging.getLogger(__name__)

DEATHS_ALLOWED = 5
DEATH_WINDOW_SECONDS = 60.0
"""More deaths than allowed within this time, and the client gives up: something is wrong that restarts do not fix."""

DEATHS_PER_PLACE = 2
"""A track at whose same place the child died so often is taken to be the cause, and passed over."""

SAME_PLACE_SECONDS = 1.0

FIRST_BACK_OFF_SECONDS = 0.1
"""Before the second restart within the window; about doubled for each further one. The first comes at once."""

DEVICE_SECONDS = 2.0
"""Before a device that did not answer is asked again, by a new process."""

RETRY_SECONDS = 60.0
"""How long after giving up it is tried again without being asked: nobody may be there to ask."""

PING_SECONDS = 2.0
PINGS_UNANSWERED = 5
"""A child that says nothing for so many pings hangs. Counted in pings, so that a player that was stopped itself does not kill
a healthy one."""

EXIT_SECONDS = 3.0
"""How long the child may take to end when asked; then it is killed."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the child should be doing: enough to bring a new one to the same place."""

    track: Load | None = None
    """The current track; its position and play follow commands and events."""
    started: bool = False
    """Whether the listener heard its beginning already, so that a restart does not start it a second time."""
    prepared: Prepare | None = None
    others: tuple[Command, ...] = ()
    """The last of each other kind that lasts."""

    def after_command(self, command: Command) -> "_Wanted":  # noqa: PLR0911 - one a kind
        match command:
            case Load() if self.track is not None and self.track.token == command.token and self.started:
                return replace(self, track=replace(command, position=self.track.position), prepared=None)
            case Load():
                return replace(self, track=command, started=False, prepared=None)
            case Prepare():
                return replace(self, prepared=command)
            case PrepareNothing():
                return replace(self, prepared=None)
            case SetVolume() | SetSpeed() | SetDevice() | Watch():
                others = tuple(other for other in self.others if type(other) is not type(command))
                return replace(self, others=(*others, command))
            case Stop():
                return replace(self, track=None, prepared=None)
            case Play() | Pause() | Seek() if self.track is not None:
                return replace(self, track=_moved(self.track, command))
            case _:
                return self

    def after_event(self, event: Event) -> "_Wanted":  # noqa: PLR0911 - one a kind
        track, prepared = self.track, self.prepared
        if isinstance(event, Started) and prepared is not None and event.token == prepared.token:
            return replace(self, track=prepared.load(), started=True, prepared=None)
        if track is None:
            return self
        match event:
            case Position(token, seconds) if token == track.token:
                return replace(self, track=replace(track, position=seconds))
            case DeviceLost():
                return replace(self, track=replace(track, play=False))
            case Started(token) if token == track.token:
                return replace(self, started=True)
            case Finished(token) | Failed(token) if token == track.token:
                return replace(self, track=None)
            case _:
                return self

    def heard(self, event: Event) -> bool:
        """Whether this tells the beginning of a track whose beginning was told before."""
        return (
            isinstance(event, Started) and self.started and self.track is not None and self.track.token == event.token
        )

    def commands(self) -> tuple[Command, ...]:
        """What a new child needs to be told."""
        wanted = (*self.others, self.track, self.prepared)
        return tuple(command for command in wanted if command is not None)


def _moved(track: Load, command: Play | Pause | Seek) -> Load:
    match command:
        case Play():
            return replace(track, play=True)
        case Pause():
            return replace(track, play=False)
        case Seek(seconds):
            return replace(track, position=seconds)


class AudioClient:
    """Owns the audio process. All methods may be called from any thread and none waits for sound.

    Example:
        >>> client = AudioClient(print, engine="null")
        >>> client.send(Load("/music/song.opus", position=0.0, token=1, play=True))
        >>> client.close()
    """

    def __init__(
        self,
        on_event: Callable[[Event], None],
        *,
        engine: str = "auto",
        device: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the audio process in the background.

        Args:
            on_event: called with every event, from a thread of the client's.
            engine: ``auto``, ``stream``, ``vlc`` or ``null``.
            device: part of the output device's name; None for the default.
            environment: variables for the child in place of this process's own.
        """
        self._on_event = on_event
        self._arguments = ["--engine", engine, *(["--device", device] if device is not None else [])]
        self._environment = environment
        self._had_device = False
        """Whether sound came out before: then a new child waits for the device instead of playing silently."""
        self._lock = Lock()
        self._wanted = _Wanted()
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        """Whether the child has said that it takes commands; before, a busy machine may take its time."""
        self._deaths: deque[float] = deque()
        self._deaths_here = 0
        self._place: tuple[int, float] | None = None
        self._closing = Flag()
        self._revived = Flag()
        self._gave_up = False
        self._unanswered = 0
        """Pings since the child was last heard of."""
        self._thread = Thread(target=self._supervise, name="audio-client", daemon=True)
        self._thread.start()
        Thread(target=self._watch, name="audio-watchdog", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, None between two children."""
        child = self._child
        return None if child is None else child.pid

    def send(self, command: Command) -> None:
        """Tell the audio process; while there is none, the next one is told instead. Quit is the same as close."""
        if isinstance(command, Quit):
            self.close()
            return
        with self._lock:
            self._wanted = self._wanted.after_command(command)
            if self._child is not None:
                _write(self._child, command)
            if self._gave_up and isinstance(command, Load):
                self._revived.set()

    def close(self) -> None:
        """End the audio process and wait for it."""
        self._closing.set()
        self._revived.set()
        with self._lock:
            child = self._child
            if child is not None:
                _close_pipe(child.stdin)
        if child is not None:
            _end(child)
        if current_thread() is not self._thread:  # a callback may close, too
            self._thread.join(EXIT_SECONDS)

    def _supervise(self) -> None:
        """Run one child after the other until closed."""
        while not self._closing.is_set():
            child = self._spawn()
            if child is not None:
                self._forward_events(child)
                self._bury(child)
            if self._closing.is_set():
                return
            if child is not None and child.returncode == DEVICE_HANGS:
                self._wait_for_device()
            else:
                self._recover(child)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._closing.is_set():
                return None
            child = self._start_child()
            self._child, self._ready = child, False
            if child is not None:
                for command in self._wanted.commands():
                    _write(child, command)
            return child

    def _start_child(self) -> subprocess.Popen[bytes] | None:
        try:
            child = subprocess.Popen(
                # -P: the folder the player is started in must not provide modules.
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "player.audio",
                    *self._arguments,
                    *(["--wait-for-device"] * self._had_device),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_with_this_package(self._environment if self._environment is not None else os.environ),
                process_group=0,  # Ctrl-C in the terminal is for the player, which then closes the pipe
            )
        except OSError:
            _LOG.exception("The audio process could not be started.")
            return None
        assert child.stderr is not None
        logs.follow(child.stderr, "audio.child")
        return own(child)

    def _forward_events(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            try:
                event = decode_event(line)
            except ProtocolError as error:
                _LOG.warning("Passed over an event: %s.", error)  # half a line of a child that was killed, say
                continue
            self._unanswered = 0
            if isinstance(event, Alive):
                continue
            if isinstance(event, Ready):
                self._ready = True
            self._had_device = self._had_device or _sounds(event)
            self._tell(event)

    def _tell(self, event: Event) -> None:
        with self._lock:
            heard_before = self._wanted.heard(event)
            self._wanted = self._wanted.after_event(event)
        if not heard_before and not self._closing.is_set():
            self._on_event(event)

    def _watch(self) -> None:
        """Kill a child that is there and does not answer; the supervisor replaces it."""
        while not self._closing.wait(PING_SECONDS):
            with self._lock:
                child = self._child if self._ready else None
                if child is None:
                    self._unanswered = 0
                elif self._unanswered >= PINGS_UNANSWERED:
                    _LOG.warning("The audio process did not answer for %g s.", PINGS_UNANSWERED * PING_SECONDS)
                    child.kill()
                else:
                    self._unanswered += 1
                    _write(child, Ping())

    def _bury(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._child = None
            _close_pipe(child.stdin)
        _close_pipe(child.stdout)
        _end(child)

    def _wait_for_device(self) -> None:
        """The process ended because its device did not answer: that is no death, and no track's fault."""
        self._had_device = True
        self._tell(DeviceLost("The output device does not answer; the music waits until it does."))
        self._closing.wait(DEVICE_SECONDS)

    def _recover(self, child: subprocess.Popen[bytes] | None) -> None:
        """After a death: wait a little, or drop the track that kills, or give up until the next Load."""
        how = "could not be started" if child is None else f"died ({_cause(child.returncode)})"
        now = time.monotonic()
        self._deaths.append(now)
        while now - self._deaths[0] > DEATH_WINDOW_SECONDS:
            self._deaths.popleft()
        if len(self._deaths) > DEATHS_ALLOWED:
            self._give_up(how)
            return
        killer = self._drop_killer()
        if killer is not None:
            self._on_event(killer)
        self._closing.wait(FIRST_BACK_OFF_SECONDS * (2 ** (len(self._deaths) - 1) - 1))
        if not self._closing.is_set():
            self._on_event(Restarted(f"The audio process {how} and was started again."))

    def _drop_killer(self) -> Failed | None:
        """The current track, when the child died at the same place of it again; it is not loaded any more."""
        with self._lock:
            track = self._wanted.track
            # A track that waits is not being decoded: whatever killed the process, it was not the track.
            if track is None or not track.play:
                self._place, self._deaths_here = None, 0
                return None
            here = (track.token, track.position)
            self._deaths_here = self._deaths_here + 1 if _same_place(here, self._place) else 1
            self._place = here
            if self._deaths_here < DEATHS_PER_PLACE:
                return None
            self._wanted = replace(self._wanted, track=None)
            name = printable(Path(track.path).name, "?")
            return Failed(track.token, f"{name} brings the audio process down, so it is passed over.")

    def _give_up(self, how: str) -> None:
        with self._lock:
            self._wanted = replace(self._wanted, track=None, prepared=None)
            self._revived.clear()
            self._gave_up = True
        self._on_event(
            GaveUp(
                f"The audio process {how} {len(self._deaths)} times within a minute (player.log says more); "
                "see `player doctor`. It is tried again in a minute, or when you play something."
            )
        )
        if not self._closing.is_set():
            self._revived.wait(RETRY_SECONDS)
        with self._lock:
            self._gave_up = False
        self._deaths.clear()


def _sounds(event: Event) -> bool:
    """Whether this tells that there is a device."""
    return isinstance(event, DeviceChanged) or (isinstance(event, Ready) and event.engine == "stream")


def _same_place(here: tuple[int, float], before: tuple[int, float] | None) -> bool:
    return before is not None and here[0] == before[0] and abs(here[1] - before[1]) < SAME_PLACE_SECONDS


def _cause(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"


def _write(child: subprocess.Popen[bytes], command: Command) -> None:
    """Send one command; a child that just died is noticed, and replaced, by the reader."""
    assert child.stdin is not None
    with suppress(OSError, ValueError):
        child.stdin.write(encode(command))
        child.stdin.flush()


def _close_pipe(pipe: IO[bytes] | None) -> None:
    """Close; bytes that a dead child will not take are lost with it."""
    if pipe is not None:
        with suppress(OSError):
            pipe.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Wait for a child whose pipe is closed, not for ever."""
    try:
        child.wait(EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _with_this_package(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the child finds the very package that this is part of."""
    root = str(Path(__file__).resolve().parents[2])
    known = environment.get("PYTHONPATH", "")
    return {**ONE_ARENA, **environment, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}
