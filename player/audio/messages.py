"""What crosses the pipe between the player and its audio process, one JSON object a line.

Commands go to the child's standard input, events come from its standard output. A line is a dataclass's fields plus
``"type"``, its class name. Lone surrogates in a path (file names that are not UTF-8) survive, as JSON escapes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, TypeVar, cast, get_args, get_type_hints

DEVICE_HANGS = 75
"""Exit code of an audio process whose device, or sound server, does not answer (EX_TEMPFAIL of sysexits.h)."""


CEILING_DB = -1.0
"""dBTP: what a lossy codec or a cheap converter may add to a peak still fits below full scale (EBU R 128)."""


class ProtocolError(ValueError):
    """A line is not a message of the expected kind."""


# Commands -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """Take this track in place of the current one."""

    path: str
    position: float
    """Seconds to start from."""
    token: int
    """The caller's name for this track; every event about it carries it."""
    play: bool
    """False: be ready at ``position``, silently, until Play."""
    gain_db: float = 0.0
    """By how much this track is made louder; whoever sends it sees to it that its peaks stay below full scale."""
    excess_db: float = 0.0
    """By how much its highest peak is above the ceiling then, for the limiter to take back; without excess there is none."""
    duration: float = 0.0
    """Seconds, where the sender knows better than the file's head (MP3 without a table); 0 where it does not."""
    start: float = 0.0
    """Seconds of the file at which the track begins; all other places are counted from there."""
    end: float = 0.0
    """Seconds of the file at which the track ends; 0 at the file's end."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Let this track follow the current one by itself, when that is over; until then another may take its place.

    It is Started under its token then, after the other has Finished, and a Load of it from its beginning changes nothing.
    """

    path: str
    token: int
    gain_db: float = 0.0
    excess_db: float = 0.0
    """As for Load."""
    crossfade: float = 0.0
    """Seconds during which it fades in over the end of the current track; 0 joins them sample by sample."""
    duration: float = 0.0
    """As for Load."""
    start: float = 0.0
    end: float = 0.0
    """As for Load."""

    def load(self) -> Load:
        """The command that plays the same from its beginning."""
        gain, within = (self.gain_db, self.excess_db), (self.start, self.end)
        return Load(self.path, 0.0, self.token, True, *gain, self.duration, *within)


@dataclass(frozen=True, slots=True)
class PrepareNothing:
    """Let the music end with the current track."""


@dataclass(frozen=True, slots=True)
class Play:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Fall silent, keeping the place."""

    fade_seconds: float = 0.15
    """How long the way to silence takes."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to this place in the current track; past its end counts as its end."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Set the loudness."""

    level: float
    """The place of the slider, 0…1; amplitude is its cube, which the ear hears as about even steps."""
    balance: float = 0.0
    """From −1, the left alone, to 1, the right alone."""
    muted: bool = False


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Play faster or slower at the same pitch."""

    speed: float
    """0.5…2; 1 is as recorded."""


@dataclass(frozen=True, slots=True)
class RepeatPart:
    """Go round and round between two places of the current track, until another is loaded."""

    start: float
    end: float
    """Seconds; where it is not after ``start``, the track goes on to its end."""


@dataclass(frozen=True, slots=True)
class SetDevice:
    """Let the sound come out elsewhere; the music plays on."""

    name: str
    """Part of the device's name; empty for the system's default."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Tell Meters, or tell them no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Say Alive; a process that does not is hung."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Drop the current track."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the audio process; closing its standard input does the same."""


Command = (
    Load
    | Prepare
    | PrepareNothing
    | Play
    | Pause
    | Seek
    | SetVolume
    | SetSpeed
    | RepeatPart
    | SetDevice
    | Watch
    | Ping
    | Stop
    | Quit
)

# Events ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The audio process takes commands."""

    engine: str
    """``stream``, ``vlc`` or ``null``."""
    device: str
    note: str
    """Empty, or one sentence saying why this is not the engine or device that was asked for, and the fix."""
    cannot: str = ""
    """What this engine cannot do, as its commands' names and ``Gapless`` and ``Crossfade``; empty where it can do all."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first samples of the track went to the device."""

    token: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where the track is, about four times a second and after every command that changes it."""

    token: int
    seconds: float
    duration: float
    """Seconds, the best known: as the file declares it, and as it was once it is decoded; 0 when unknown."""
    playing: bool
    underruns: int
    """How often, since the start of the process, the device wanted samples that were not decoded yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last sample of the track has left the buffer."""

    token: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The track cannot be played (on); the audio process lives on."""

    token: int
    message: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """Part of the track cannot be decoded; what can is played."""

    token: int
    message: str


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """The output device went away; the track waits, paused, at its place."""

    message: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """Sound can come out again, or elsewhere, through this device."""

    device: str
    switched: bool = False
    """Whether it was changed for another, instead of having come back."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The answer to Ping."""


@dataclass(frozen=True, slots=True)
class Underrun:
    """The device wanted samples that were not there in time, so the music faltered."""

    count: int
    """How often since the start of the process."""


FALTERED = "The sound faltered"
"""How an underrun is written into the log, where the doctor counts it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A command cannot be followed; everything is as it was before it."""

    message: str


@dataclass(frozen=True, slots=True)
class Meters:
    """How loud it is, as heard now; about thirty times a second while it is watched and the music moves."""

    peaks: list[float]
    """Of the left and the right channel, as amplitudes."""
    levels: list[float]
    """Their root mean squares."""
    bands: list[float]
    """Of log-spaced bands from 40 Hz to 16 kHz, 0…1 for −80…0 dB of full scale."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The audio process died and a new one took over at the same track and position (sent by the client)."""

    message: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The audio process died again and again; there is no sound until the next Load (sent by the client)."""

    message: str


Event = (
    Ready
    | Started
    | Position
    | Finished
    | Failed
    | Damaged
    | DeviceLost
    | DeviceChanged
    | Alive
    | Underrun
    | Refused
    | Meters
    | Restarted
    | GaveUp
)

# Encoding -------------------------------------------------------------------------------------------------------------

_Message = TypeVar("_Message", bound="Command | Event")

_COMMANDS: Mapping[str, type[Command]] = {kind.__name__: kind for kind in get_args(Command)}
_EVENTS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def encode(message: Command | Event) -> bytes:
    """One line of ASCII JSON, newline included."""
    return json.dumps({"type": type(message).__name__, **asdict(message)}, allow_nan=False).encode("ascii") + b"\n"


def decode_command(line: bytes) -> Command:
    """The command on this line; raises ProtocolError when it is not one."""
    return _decode(line, _COMMANDS)


def decode_event(line: bytes) -> Event:
    """The event on this line; raises ProtocolError when it is not one."""
    return _decode(line, _EVENTS)


def _decode(line: bytes, kinds: Mapping[str, type[_Message]]) -> _Message:
    try:
        document: object = json.loads(line)
    except ValueError as error:
        raise ProtocolError(f"not a JSON line: {line[:80]!r}") from error
    if not isinstance(document, dict):
        raise ProtocolError(f"not a JSON object: {line[:80]!r}")
    values = cast("dict[str, object]", document)
    name = values.pop("type", None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProtocolError(f"no message is called {name!r}")
    return kind(**_checked(kind, values))


def _checked(kind: type[_Message], values: Mapping[str, object]) -> dict[str, Any]:
    """The fields of ``kind`` from ``values``, each of its declared type; integers pass as floats."""
    types = get_type_hints(kind)
    if values.keys() != types.keys():
        raise ProtocolError(f"{kind.__name__} needs {sorted(types)}, not {sorted(values)}")
    checked: dict[str, Any] = {}
    for field, expected in types.items():
        value = values[field]
        if expected is float and type(value) is int:
            value = float(value)
        fits = _are_figures(value) if expected == list[float] else type(value) is expected
        if not fits or (isinstance(value, float) and not isfinite(value)):
            raise ProtocolError(f"{kind.__name__}.{field} is {value!r}, not {expected.__name__}")
        checked[field] = value
    return checked


def _are_figures(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is float and isfinite(one) for one in cast("list[object]", value))
