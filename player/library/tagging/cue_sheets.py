"""Cue sheets: the tracks of an album that is one file, from a sheet beside the file or in its tags.

A sheet is untrusted and often wrong about its file: it names the WAV that was compressed since, another encoding, or tracks that the
file does not hold. So a file is found by name, else by what the names have in common, and only times that can be are believed.
The pre-gap of a track (INDEX 00) is heard at the end of the one before, as on the disc.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from embeddings.audio_file import open_regular
from player.library.files import is_candidate, is_sheet
from player.library.paths import FRAMES_PER_SECOND
from player.library.tagging.blocks import SAMPLE_BYTES, guess_encoding

LARGEST = 1 << 18
"""Bytes of a sheet that are read; one of 99 tracks has about a twentieth."""
MOST_SHEETS = 500
"""Sheets of one folder that are read."""
MOST_TRACKS = 999
"""A disc has at most 99; sheets of long recordings have more."""
_LINE = re.compile(r"\s*([A-Za-z]+)\s+(.*?)\s*$")
_TIME = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2})")
_AUDIO = "AUDIO"
_REMARKS = {
    "DATE": "date", "YEAR": "date", "GENRE": "genre", "COMPOSER": "composer", "DISCNUMBER": "disc", "TOTALDISCS": "disc_total",
    "REPLAYGAIN_TRACK_GAIN": "track_gain", "REPLAYGAIN_TRACK_PEAK": "track_peak",
    "REPLAYGAIN_ALBUM_GAIN": "album_gain", "REPLAYGAIN_ALBUM_PEAK": "album_peak",
}  # fmt: skip
"""What programs write as remarks, and the field that it is."""
_NAMES = {"TITLE": "title", "PERFORMER": "artist", "SONGWRITER": "composer", "COMPOSER": "composer", "GENRE": "genre"}
"""The CD-Text of a sheet, and the field that it is."""
_OF_ONE_RECORDING = (
    *("title", "artist", "artists", "track", "track_total", "track_gain", "track_peak", "r128_track_gain", "composer"),
    *("musicbrainz_recording", "acoustid", "lyrics", "synced_lyrics", "movement", "movement_number", "cue_sheet"),
)
"""Fields of a file that say nothing of the tracks within it."""

Fields = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class SheetTrack:
    """A track of a sheet: its number, its names by field, and the frame of its file at which it begins (None where unsaid)."""

    number: int
    names: dict[str, str] = field(default_factory=dict[str, str])
    start: int | None = None


@dataclass(slots=True)
class CueSheet:
    """A sheet: names of the album by field, its files in order with the tracks that begin in each, and how many there are."""

    names: dict[str, str] = field(default_factory=dict[str, str])
    files: list[tuple[str, list[SheetTrack]]] = field(default_factory=list[tuple[str, list[SheetTrack]]])
    count: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A track within a file.

    Attributes:
        number: as the sheet counts.
        start, end: in CD frames; None for the file's end.
        fields: the file's, with what the sheet says of the track.
    """

    number: int
    start: int
    end: int | None
    fields: Fields


def parse(text: str) -> CueSheet:
    """The sheet that a text is; one without tracks where it is none."""
    sheet, track, data = CueSheet(), None, False
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        command, rest = match[1].upper(), match[2]
        if command == "FILE":
            sheet.files.append((_file_name(rest), []))
        elif command == "TRACK":
            data = not rest.upper().endswith(_AUDIO)
            number = int(digits[0]) if (digits := re.match(r"\d{1,3}", rest)) else sheet.count + 1
            track = SheetTrack(number)
            sheet.count += not data
        elif command == "INDEX" and track is not None and not data:
            _index(sheet, track, rest)
        else:
            _name(sheet.names if track is None else track.names, command, rest)
    return sheet


_HEADER_BYTES, _TRACK_BYTES, _INDEX_BYTES = 396, 36, 12
"""Of FLAC's CUESHEET block (RFC 9639, 8.7): before its tracks, and before and of the index points of each."""
_LEAD_OUT = (170, 255)
"""Numbers of what comes behind the last track, of a CD and of others."""


def text_of_block(data: bytes, rate: int) -> str:
    """The sheet that a CUESHEET block of FLAC's metadata is, in a stream of ``rate`` Hz; it names no title and no file."""
    lines, at = ['FILE "" WAVE'], _HEADER_BYTES
    for _ in range(data[at - 1] if len(data) >= at else 0):
        track, at = data[at : at + _TRACK_BYTES], at + _TRACK_BYTES
        if len(track) < _TRACK_BYTES:
            break
        points = [data[at + place * _INDEX_BYTES :][:_INDEX_BYTES] for place in range(track[-1])]
        at += len(points) * _INDEX_BYTES
        begins = next((int.from_bytes(point[:8], "big") for point in points if point[8:9] == b"\1"), None)
        if track[8] in _LEAD_OUT or begins is None:
            continue
        frame = (int.from_bytes(track[:8], "big") + begins) * FRAMES_PER_SECOND // rate
        minutes, frame = divmod(frame, 60 * FRAMES_PER_SECOND)
        seconds, frame = divmod(frame, FRAMES_PER_SECOND)
        kind = "DATA" if track[21] & 0x80 else _AUDIO
        lines += [f"TRACK {track[8]:02} {kind}", f"INDEX 01 {minutes:02}:{seconds:02}:{frame:02}"]
    return "\n".join(lines)


def _index(sheet: CueSheet, track: SheetTrack, rest: str) -> None:
    """Let a track begin at its INDEX 01, in the file named last."""
    number, _, time = rest.partition(" ")
    match = _TIME.fullmatch(time.strip())
    first = number.isdecimal() and int(number) == 1
    if not first or match is None or track.start is not None or not sheet.files or sheet.count > MOST_TRACKS:
        return
    minutes, seconds, frames = map(int, match.groups())
    track.start = (minutes * 60 + seconds) * FRAMES_PER_SECOND + frames
    sheet.files[-1][1].append(track)


def _name(names: dict[str, str], command: str, rest: str) -> None:
    if command == "REM":
        kind, _, rest = rest.partition(" ")
        name = _REMARKS.get(kind.upper())
    else:
        name = _NAMES.get(command)
    if name and (value := _unquoted(rest)):
        names.setdefault(name, value)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text.strip('"').strip()


def _file_name(rest: str) -> str:
    """The name in a FILE line, without the folder that it had on another machine, and without the type behind it."""
    written = rest[1:].rpartition('"')[0] if rest.startswith('"') else rest.rpartition(" ")[0]
    return PureWindowsPath(written or rest).name


def decode(data: bytes) -> str:
    """Text of a sheet, which does not say how it is encoded."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        names = [name for name in re.findall(rb'"([^"\r\n]*)"', data) if not name.isascii()]
    return data.decode(guess_encoding((b" ".join(names) or data)[:SAMPLE_BYTES]), "replace")


def find_parts(path: Path, stamp: int, fields: Fields, seconds: float) -> tuple[list[Part], str]:
    """The tracks within a file, and one clause about those of its sheet that are not there.

    Args:
        path: the file's.
        stamp: of the sheets in its folder (``FoundFile.sheets``), 0 where there are none.
        fields: of its tags; a sheet in them counts where none lies beside it.
        seconds: how long it is.

    Returns:
        No parts where no sheet that can be believed is about it. One part, from 0 to None, stands for the whole file.
    """
    for sheet, tracks in _sheets_about(path, stamp, fields):
        starts = [track.start or 0 for track in tracks]
        if not tracks or starts != sorted(set(starts)):
            continue
        there = [track for track in tracks if (track.start or 0) < seconds * FRAMES_PER_SECOND - 1]
        if len(there) == 1:
            return [Part(there[0].number, 0, None, {**_told(sheet, there[0], fields), **fields})], ""
        parts = [
            Part(
                track.number,
                track.start or 0,
                after.start if after else None,
                _named(_told(sheet, track, fields), track, fields),
            )
            for track, after in zip(there, [*there[1:], None], strict=True)
        ]
        absent = len(tracks) - len(there)
        if parts:
            problem = f"its cue sheet names {absent} more track{'s' * (absent > 1)} beyond its end" if absent else ""
            return parts, problem
    return [], ""


def _sheets_about(path: Path, stamp: int, fields: Fields) -> Iterator[tuple[CueSheet, list[SheetTrack]]]:
    """Sheets that may be about a file, the likeliest first, with its tracks."""
    if stamp:
        sheets, names = _read_folder(path.parent, stamp)
        found = [(_likeness(name, sheet, path.name, names), sheet) for name, sheet in sheets]
        for (rank, tracks), sheet in sorted(found, key=lambda each: each[0][0]):
            if rank < len(_RANKS):
                yield sheet, tracks
    for embedded in fields.get("cue_sheet", ()):
        sheet = parse(embedded[:LARGEST])
        own = [tracks for name, tracks in sheet.files if _plain(name) == _plain(path.name)]
        if own or len(sheet.files) == 1:
            yield sheet, own[0] if own else sheet.files[0][1]


_RANKS = ("the file's name", "its name with another ending", "the sheet's own name", "nothing else in the folder")
"""What may say that a sheet is about a file, the surest first."""


def _likeness(sheet_name: str, sheet: CueSheet, name: str, names: Collection[str]) -> tuple[int, list[SheetTrack]]:
    """A place in ``_RANKS`` (behind the last for none), and the sheet's tracks in that file."""
    own = _plain(name)
    for written, tracks in sheet.files:
        if _plain(written) == own:
            return 0, tracks
    absent = [(written, tracks) for written, tracks in sheet.files if _plain(written) not in names]
    for written, tracks in absent:
        if _stem(_plain(written)) == _stem(own):
            return 1, tracks
    if len(absent) == len(sheet.files) == 1:
        if _stem(_plain(sheet_name)) in {_stem(own), own}:
            return 2, absent[0][1]
        if sum(map(is_candidate, names)) == 1:
            return 3, absent[0][1]
    return len(_RANKS), []


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


@lru_cache(maxsize=8)
def _read_folder(folder: Path, stamp: int) -> tuple[list[tuple[str, CueSheet]], frozenset[str]]:
    """The sheets of a folder by name, and all its files' names; ``stamp`` tells a folder from what it was before."""
    del stamp
    names = sorted(path.name for path in folder.iterdir())
    sheets: list[tuple[str, CueSheet]] = []
    for name in [name for name in names if is_sheet(name)][:MOST_SHEETS]:
        try:
            with open_regular(folder / name) as file:
                sheet = parse(decode(file.read(LARGEST)))
        except OSError:
            continue
        sheets.append((name, sheet))
    return sheets, frozenset(map(_plain, names))


def sheet_files(sheet: Path) -> list[Path]:
    """The files in the folder of a sheet that it is about, in its order.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(sheet) as file:
        parsed = parse(decode(file.read(LARGEST)))
    names = sorted(path.name for path in sheet.parent.iterdir() if path.is_file() and is_candidate(path.name))
    plain = frozenset(map(_plain, [*names, sheet.name]))
    about = {name: _likeness(sheet.name, parsed, name, plain)[1] for name in names}
    order = {id(tracks): place for place, (_, tracks) in enumerate(parsed.files)}
    return [sheet.parent / name for name in sorted((n for n in names if about[n]), key=lambda n: order[id(about[n])])]


def _told(sheet: CueSheet, track: SheetTrack, fields: Fields) -> dict[str, Sequence[str]]:
    """The fields of one track: the album's from the file's tags and the sheet, the recording's from the sheet alone."""
    told: dict[str, Sequence[str]] = {name: values for name, values in fields.items() if name not in _OF_ONE_RECORDING}
    if "album_gain" not in told and "track_gain" in fields:  # the file's track is the album
        told |= {f"album_{kind}": fields[f"track_{kind}"] for kind in ("gain", "peak") if f"track_{kind}" in fields}
    album = dict(sheet.names)
    for name, values in (("album", album.pop("title", "")), ("album_artist", album.get("artist", ""))):
        if values:
            told[name] = [values]
    if "artist" not in album:
        told |= {name: fields[name] for name in ("artist", "artists") if name in fields}
    if "composer" in fields:
        told["composer"] = fields["composer"]
    told |= {name: [value] for name, value in (album | track.names).items()}
    if "artist" in track.names:
        told.pop("artists", None)
    return told | {"track": [f"{track.number}/{sheet.count}"]}


def _named(told: Fields, track: SheetTrack, fields: Fields) -> Fields:
    """A track's fields with a title and an album, where nothing says them: its number, and what the file is called."""
    return {"title": [f"Track {track.number}"], "album": fields.get("title", ()), **told}
