"""Playlists as files: M3U, PLS, XSPF and JSPF, with absolute or relative paths.

They are untrusted: sizes are limited, and XML with entities of its own is refused.
"""

import codecs
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from embeddings.audio_file import open_regular
from player.errors import PlayerError
from player.integrations.history.fields import document, number, text
from player.library.files import is_sheet
from player.library.paths import span_of, text_to_path
from player.library.tagging.cue_sheets import decode, parse
from player.library.tracks import TrackRow
from player.text import clean_text

LARGEST = 1 << 25
"""Bytes of a playlist; one of 100,000 tracks has about half."""
MOST_ENTRIES = 200_000
FORMATS = ("m3u", "m3u8", "pls", "xspf", "jspf")
_XSPF = "http://xspf.org/ns/0/"
_EXTINF = re.compile(r"#EXTINF:\s*(-?\d+)[^,]*,(.*)")
_PLS = re.compile(r"(File|Title|Length)(\d{1,6})\s*=(.*)", re.IGNORECASE)
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a playlist's file.

    Attributes:
        written: its place as it stands there; a title where there is none.
        seconds: its length; None where it does not say.
    """

    written: str
    artist: str = ""
    title: str = ""
    album: str = ""
    seconds: float | None = None


def read_playlist(path: Path) -> tuple[str, list[Listed]]:
    """The title that a file gives itself (empty for none) and its entries.

    Raises:
        PlayerError: it cannot be read, or is no playlist.
    """
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise PlayerError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    if len(data) > LARGEST:
        raise PlayerError(f"{path} is larger than {LARGEST >> 20} MiB, which no playlist is.")
    try:
        title, entries = _sheet(data) if is_sheet(path.name) else _parsed(data)
    except RecursionError:
        raise PlayerError(f"{path} is a damaged playlist (nested too deeply); save it anew.") from None
    except (ValueError, ET.ParseError) as error:
        raise PlayerError(f"{path} is a damaged playlist ({clean_text(str(error))}); save it anew.") from error
    if not entries:
        raise PlayerError(f"{path} lists no tracks; name a playlist in one of the formats {', '.join(FORMATS)}.")
    return title, entries[:MOST_ENTRIES]


def _parsed(data: bytes) -> tuple[str, list[Listed]]:
    """Read by content: what a file is called says little."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _xspf(data)
    written = _decoded(data)
    start = written.lstrip()[:200].lower()
    if start.startswith("{"):
        return _jspf(written)
    return ("", _pls(written)) if start.startswith("[playlist]") else _m3u(written)


def _sheet(data: bytes) -> tuple[str, list[Listed]]:
    """A cue sheet as a list of its tracks."""
    sheet = parse(decode(data))
    artist, album = sheet.names.get("artist", ""), sheet.names.get("title", "")
    entries = [
        Listed(name, clean_text(track.names.get("artist", artist)), clean_text(track.names.get("title", "")), album)
        for name, tracks in sheet.files
        for track in tracks
    ]
    return clean_text(album), entries


def _decoded(data: bytes) -> str:
    """UTF-8 or, with its mark, UTF-16, else as the old M3U has it; the bytes of paths survive."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def _m3u(written: str) -> tuple[str, list[Listed]]:
    title, told, entries = "", ("", "", None), list[Listed]()
    for line in map(str.strip, written.splitlines()):
        if found := _EXTINF.match(line):
            seconds = int(found[1])
            told = (*_credit(found[2]), float(seconds) if seconds > 0 else None)
        elif line.startswith("#PLAYLIST:"):
            title = clean_text(line.partition(":")[2])
        elif line and not line.startswith("#"):
            entries.append(Listed(line, told[0], told[1], "", told[2]))
            told = ("", "", None)
    return title, entries


def _credit(words: str) -> tuple[str, str]:
    artist, dash, title = words.partition(" - ")
    return (clean_text(artist), clean_text(title)) if dash else ("", clean_text(words))


def _pls(written: str) -> list[Listed]:
    rows: dict[int, dict[str, str]] = {}
    for line in written.splitlines():
        if found := _PLS.fullmatch(line.strip()):
            rows.setdefault(int(found[2]), {})[found[1].lower()] = found[3].strip()
    return [
        Listed(row["file"], *_credit(row.get("title", "")), "", _positive(number(row, "length")))
        for _, row in sorted(rows.items())
        if row.get("file")
    ]


def _xspf(data: bytes) -> tuple[str, list[Listed]]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it declares entities of its own")
    root = ET.fromstring(data)  # noqa: S314 - without entities there is nothing to expand
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]

    def listed(track: ET.Element) -> Listed | None:
        said = {name: clean_text(track.findtext(name) or "") for name in ("location", "creator", "title", "album")}
        seconds = number({"duration": track.findtext("duration")}, "duration")
        return _named(said["location"], said["creator"], said["title"], said["album"], seconds)

    found = [listed(track) for track in root.iter("track")]
    return clean_text(root.findtext("title") or ""), [one for one in found if one is not None]


def _jspf(written: str) -> tuple[str, list[Listed]]:
    outer = document(json.loads(written))
    inner = document(outer.get("playlist")) or outer
    found: list[Listed | None] = []
    for track in inner.get("track") or inner.get("tracks") or ():
        values = document(track)
        places = values.get("location")
        place = text({"place": places[0] if isinstance(places, list) and places else places}, "place")
        names = (text(values, "creator"), text(values, "title"), text(values, "album"))
        found.append(_named(place, *names, number(values, "duration")))
    return text(inner, "title"), [one for one in found if one is not None]


def _named(place: str, artist: str, title: str, album: str, milliseconds: float | None) -> Listed | None:
    # Their places are URIs, whatever their scheme.
    place = place if place.lower().startswith("file:") else unquote(place, errors="surrogateescape")
    written = place or " – ".join(filter(None, (artist, title)))
    seconds = None if milliseconds is None else _positive(milliseconds / _MILLISECONDS)
    return Listed(written, artist, title, album, seconds) if written else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def entry_path(written: str, folder: Path) -> Path:
    """Where an entry of a playlist in ``folder`` lies; ``..`` is followed by its letters, as the library's paths were."""
    local = (
        unquote(urlsplit(written).path, errors="surrogateescape") if written.lower().startswith("file:") else written
    )
    return Path(os.path.normpath(folder / local.replace("\0", "")))


def written_playlist(kind: str, name: str, rows: Sequence[TrackRow], folder: Path | None) -> bytes:
    """A playlist's file.

    Args:
        kind: one of :data:`FORMATS`.
        name: its title.
        rows: the tracks, in order.
        folder: where it will lie, for paths relative to it; absolute ones when absent.
    """
    return _WRITERS[kind](name, rows, [_place(row, folder) for row in rows])


def _place(row: TrackRow, folder: Path | None) -> bytes:
    path = text_to_path(row.path)
    return os.fsencode(path if folder is None else os.path.relpath(path, folder))


def _write_m3u(name: str, rows: Sequence[TrackRow], places: Sequence[bytes]) -> bytes:
    lines = [b"#EXTM3U", f"#PLAYLIST:{name}".encode()]
    for row, place in zip(rows, places, strict=True):
        lines.append(f"#EXTINF:{round(row.duration)},{row.artist} - {row.title}".encode())
        lines += [f"#EXTVLCOPT:{name}-time={seconds:.3f}".encode() for name, seconds in _times(row)]
        lines.append(place)
    return b"\n".join(lines) + b"\n"


def _times(row: TrackRow) -> Iterable[tuple[str, float]]:
    """The times of a track within a file, which VLC understands; other players play the whole file."""
    return [(name, seconds) for name, seconds in zip(("start", "stop"), span_of(row.path), strict=True) if seconds]


def _write_pls(_name: str, rows: Sequence[TrackRow], places: Sequence[bytes]) -> bytes:
    lines = [b"[playlist]"]
    for count, (row, place) in enumerate(zip(rows, places, strict=True), 1):
        lines += [
            f"File{count}=".encode() + place,
            f"Title{count}={row.artist} - {row.title}".encode(),
            f"Length{count}={round(row.duration)}".encode(),
        ]
    return b"\n".join([*lines, f"NumberOfEntries={len(rows)}".encode(), b"Version=2", b""])


def _uri(place: bytes) -> str:
    return ("file://" if place.startswith(b"/") else "") + quote(place)


def _write_xspf(name: str, rows: Sequence[TrackRow], places: Sequence[bytes]) -> bytes:
    root = ET.Element("playlist", version="1", xmlns=_XSPF)
    ET.SubElement(root, "title").text = name
    tracks = ET.SubElement(root, "trackList")
    for values in _spiff(rows, places):
        track = ET.SubElement(tracks, "track")
        for key, value in values.items():
            ET.SubElement(track, key).text = str(value)
    return ET.tostring(root, "utf-8", xml_declaration=True)


def _write_jspf(name: str, rows: Sequence[TrackRow], places: Sequence[bytes]) -> bytes:
    tracks = [{**values, "location": [values["location"]]} for values in _spiff(rows, places)]
    return json.dumps({"playlist": {"title": name, "track": tracks}}, ensure_ascii=False, indent=1).encode()


def _spiff(rows: Sequence[TrackRow], places: Sequence[bytes]) -> Iterable[dict[str, object]]:
    for row, place in zip(rows, places, strict=True):
        yield {
            "location": _uri(place),
            "creator": row.artist,
            "title": row.title,
            "album": row.album,
            "duration": round(row.duration * _MILLISECONDS),
        }


_WRITERS: Mapping[str, Callable[[str, Sequence[TrackRow], Sequence[bytes]], bytes]] = {
    "m3u": _write_m3u,
    "m3u8": _write_m3u,
    "pls": _write_pls,
    "xspf": _write_xspf,
    "jspf": _write_jspf,
}
