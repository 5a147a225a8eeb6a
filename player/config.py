"""Every setting of the player, in one place.

Settings come from one TOML file, ``config.toml`` in the configuration folder. A broken line is named with its fix; the player
does not guess.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import FieldInfo, fields

from player.errors import PlayerError
from player.folders import Paths
from player.text import printable

_HEADING = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
_ASSIGNED = re.compile(r"\s*([\w-]+)\s*=")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$", re.DOTALL)
_INDEX = re.compile(r"\[[.\d]*\]")
_KIND = re.compile(r"`(\w+)(?: \| null)?`")
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "a table",
}
_TEXT = "expected a text"


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that belong together."""


class AudioSettings(Section, frozen=True):
    """How a track becomes sound."""

    engine: Literal["auto", "stream", "vlc", "null"] = "auto"
    """``stream`` decodes itself and plays through PortAudio, ``vlc`` uses libvlc, ``null`` is silent and keeps time;
    ``auto`` takes ``stream`` where an output device exists and ``null`` elsewhere."""
    device: str | None = None
    """Name (or part of it) of the output device; the system's default when absent."""
    replaygain: Literal["auto", "track", "album", "off"] = "auto"
    """Play all music equally loud: each track by itself (``track``), an album as a whole with its quiet and loud tracks
    (``album``), or the one or the other by whether an album is being played in its order (``auto``)."""
    target_lufs: Annotated[float, Meta(ge=-40.0, le=-5.0)] = -18.0
    """How loud that is, in LUFS; -18 is ReplayGain's reference, streaming services have -14, broadcasting has -23."""
    preamp_db: Annotated[float, Meta(ge=-20.0, le=20.0)] = 0.0
    """Decibels added to every track's gain."""
    prevent_clipping: bool = True
    """Let no peak come out above -1 dBTP: a limiter turns down the few that would, or the whole track is turned up less."""
    limiter: bool = True
    """Have that limiter, so that all tracks are equally loud; without it one with high peaks stays quieter than the others."""
    gapless: bool = True
    """Join tracks that follow each other without a gap."""
    crossfade: Annotated[float, Meta(ge=0.0, le=12.0)] = 0.0
    """Seconds for which the end of a track and the beginning of the next overlap; never inside an album in its order."""


class StationSettings(Section, frozen=True):
    """How a station chooses."""

    breadth: Annotated[float, Meta(ge=1.0, le=1000.0)] = 6.0
    """Over about how many tracks each place is drawn: 1 always takes the best, 50 is adventurous."""
    diversity: Annotated[float, Meta(ge=0.0, le=10.0)] = 1.0
    """How much a track's score gains for sounding unlike those just before it; 0 switches it off."""
    variety: Literal["mmr", "dpp", "none"] = "mmr"
    """How that is measured: against the nearest of the tracks before (``mmr``), against all of them together (``dpp``)."""
    calibration: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.5
    """How strongly a station keeps to the shares of genres, decades and tags that you like on it; 0 switches it off."""


class LibrarySettings(Section, frozen=True):
    """What belongs to the library, and how it is kept up to date."""

    include: list[str] = field(default_factory=list[str])
    """Only files that match one of these patterns; everything when empty. Without a slash a pattern is compared with names
    (``*.flac``), with one with the path below the scanned folder (``Jazz/*``)."""
    exclude: list[str] = field(default_factory=list[str])
    """No file or folder that matches one of these, as in ``["*.mp4", "Samples", "Audiobooks/*"]``."""
    artist_separators: list[str] = field(default_factory=list[str])
    """Texts between the artists of one tag, such as ``[";", " feat. "]``; ``player scan --again`` applies a change."""
    watch: bool = True
    """Take in files that are added, changed, moved and deleted while the player runs."""
    check_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 15
    """How often folders are looked through that cannot be watched, such as those of a network."""


class LearningSettings(Section, frozen=True):
    """When the player trains by itself."""

    auto_after: Annotated[int, Meta(ge=0, le=1_000_000)] = 50
    """After so many thumbs, skips and finished tracks since the last training the player trains again by itself, beside the
    music; 0 leaves it to you."""


class ScreenSettings(Section, frozen=True):
    """How the screen looks."""

    theme: str = "player"
    """``player`` takes the terminal's own colours; Textual's themes (``nord``, ``dracula``, ``textual-light``, …) bring their own.
    ``:`` and *theme* on the screen shows them all."""
    spectrum: bool = True
    """The spectrum below the lyrics on the screen of the playing track (``c``). It is measured only while that is open."""
    reduced_motion: bool = False
    """Nothing moves by itself: no spectrum, no gliding. ``TEXTUAL_ANIMATIONS=none`` in the environment does the same."""


class RemoteSettings(Section, frozen=True):
    """Remote control by programs that speak MPD's protocol. The socket in the data folder is always there; this is the network."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """The port to listen to as well, for clients that know no sockets: MPD's own is 6600. 0 listens to none."""
    address: str = "127.0.0.1"
    """Where: this machine alone, unless another address is named, which then takes a password."""
    password: str = ""
    """What a client over the network tells first; empty asks for none."""


class DesktopSettings(Section, frozen=True):
    """What the desktop is told."""

    mpris: bool = True
    """Let media keys, widgets and ``playerctl`` drive the player over the session bus (MPRIS), where there is one."""
    notifications: bool = False
    """Say on the desktop what begins to play."""


class ScrobbleSettings(Section, frozen=True):
    """Where scrobbling goes, once you have logged in by ``player scrobble login``."""

    listenbrainz_url: str = "https://api.listenbrainz.org"
    """ListenBrainz, or a server of your own that speaks its protocol."""
    lastfm_url: str = "https://ws.audioscrobbler.com/2.0/"
    """Last.fm, or a server that speaks its protocol."""


class Settings(Section, frozen=True):
    """The listener's settings; every field has a working default."""

    audio: AudioSettings = AudioSettings()
    station: StationSettings = StationSettings()
    learning: LearningSettings = LearningSettings()
    screen: ScreenSettings = ScreenSettings()
    remote: RemoteSettings = RemoteSettings()
    library: LibrarySettings = LibrarySettings()
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """Keys of your own on the screen, by the names in [keys](keys.md): ``next = "ctrl+n"``; several with commas between them."""
    desktop: DesktopSettings = DesktopSettings()
    scrobble: ScrobbleSettings = ScrobbleSettings()
    musicnn_weights: Path | None = None
    """A ``musicnn`` wheel to read the weights from, instead of the one the set-up fetched."""
    commands: dict[str, str] = field(default_factory=dict[str, str])
    """For front-ends that a program of the listener's own runs, its command: ``mule = "~/mule/bin/python ~/mule/serve.py"``."""


def load_settings(paths: Paths) -> Settings:
    """The settings in ``config.toml``; defaults where there is none.

    Raises:
        PlayerError: the file cannot be read or a line in it is wrong, named with what is allowed.
    """
    file = paths.config_file
    if file.exists() and not file.is_file():
        raise PlayerError(f"The settings in {file} cannot be read (it is no file); remove it.")
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise PlayerError(f"The settings in {file} cannot be read ({error}); fix or remove the file.") from error
    return read_settings(text, str(file))


def read_settings(text: str, source: str = "") -> Settings:
    """The settings that a file's text means.

    Args:
        text: TOML.
        source: the file to name in an error; without one the setting alone is named.

    Raises:
        PlayerError: a line in it is wrong.
    """
    document: dict[str, Any] = {}
    try:
        document = tomllib.loads(text)
        return settings_of(document)
    except tomllib.TOMLDecodeError as error:
        raise PlayerError(f"{source} is not valid TOML: {error}; fix that line or remove it.") from error
    except RecursionError:
        raise PlayerError(f"{source} is nested too deeply; fix or remove the file.") from None
    except ValidationError as error:
        path, problem = _wrong(str(error), document)
        line = _line_of(text, path)
        where = f"{source}, line {line}" if line else source
        wrong = f"the setting {printable('.'.join(path))} is wrong ({problem})"
        if not source:
            raise PlayerError(f"{wrong[0].upper()}{wrong[1:]}; nothing was changed.") from error
        raise PlayerError(f"{where}: {wrong}; fix that line or remove it.") from error


def settings_of(document: Mapping[str, Any]) -> Settings:
    """The settings that a document of plain values means; raises ValidationError."""
    return convert(document, Settings, dec_hook=_path)


def _path(_kind: type, value: Any) -> Path:
    """The one kind of value that TOML does not have."""
    if not isinstance(value, str):
        raise TypeError("Expected `str`")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # "~name" of nobody
        raise ValueError("Its ~ names no user of this machine") from error


def sections() -> dict[str, type[Section]]:
    """The sections of the file, by name."""
    return {
        one.name: one.type for one in fields(Settings) if isinstance(one.type, type) and issubclass(one.type, Section)
    }


def default_of(one: FieldInfo) -> Any:
    """The value of a setting that is not in the file."""
    return one.default_factory() if callable(one.default_factory) else one.default


def _wrong(message: str, document: dict[str, Any]) -> tuple[list[str], str]:
    """Which setting msgspec complains of, as the parts of its name, and what is wrong with it."""
    said, _, place = (
        message.rpartition(" - at `$") if message.endswith("`") and " - at `$" in message else (message, "", "")
    )
    path = _INDEX.sub("", place.strip(".`")).split(".") if place.strip(".`") else []
    known = {one.name: one for one in fields(sections().get(path[0], Settings) if path else Settings)}
    if unknown := _UNKNOWN.match(said):
        close = difflib.get_close_matches(unknown[1], known, n=1)
        return [*path, unknown[1]], f"there is none of that name{f'; did you mean {close[0]}?' if close else ''}"
    if place.endswith("[...]`") and path and path[0] in document:  # in a table of the listener's own names
        return [*path, *[name for name, value in document[path[0]].items() if not isinstance(value, str)][:1]], _TEXT
    choices = [one for one in get_args(known[path[-1]].type) if isinstance(one, str)] if path[-1] in known else []
    problem = f"it is one of {', '.join(choices)}" if choices else said[0].lower() + said[1:]
    return path, _KIND.sub(lambda kind: _WORDS.get(kind[1], kind[1]), problem)


def _line_of(text: str, path: list[str]) -> int:
    """The number of the line that sets something; 0 where none can be told."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _HEADING.match(line):
            section = heading[1]
            if path == [section]:
                return number
        elif (assigned := _ASSIGNED.match(line)) and [*filter(None, (section,)), assigned[1]] == path[
            : 1 + bool(section)
        ]:
            return number
    return 0
