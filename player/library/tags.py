"""The tags of a file as the player uses them, made safe to show and to store. Tag text is untrusted."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from player.library.path_tags import PathTags, tags_from_path
from player.library.tagging.blocks import TagBlock
from player.library.tagging.fields import merge_fields
from player.library.tagging.reader import read_blocks
from player.text import LONGEST_TEXT, UNKNOWN_ARTIST, clean_text

_MOST_ARTISTS = 100
_LARGEST_NUMBER = 99_999
_SEPARATOR = "; "
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d{1,3}(?!\d))")
_PAIR = re.compile(r"\s*#?(\d*)\s*(?:(?:/|\\|\bof\b|(?<=\d)-)\s*(\d+))?", re.IGNORECASE)
"""A number and a total, as in "3/12", "3 of 12" and "03."."""
_DECIMAL = re.compile(r"[+-]?\d{1,4}(?:[.,]\d{1,12})?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISC_OF_ALBUM = re.compile(r"\s*[(\[,-]?\s*\b(?:disc|disk|cd)\s*(\d{1,2})\s*[)\]]?$", re.IGNORECASE)
"""A disc's number in an album's title, as in "The Wall (Disc 2)"."""
_YES = frozenset({"1", "true", "yes"})
VARIOUS = "Various Artists"
_VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v/a", "verschiedene interpreten", "artistes variés"})
_VARIOUS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz's special-purpose artist of that name."""
_LOUDEST_GAIN = 60.0
"""dB; a tag that asks for more is damaged."""
_HIGHEST_PEAK = 100.0
_R128_STEPS = 256
_R128_TO_REPLAYGAIN = 5.0
"""dB from the -23 LUFS of R128 tags (RFC 7845, 5.2.1) to the -18 LUFS of ReplayGain 2."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags the player uses; empty text or None for what is not tagged. The names are those of the track's columns.

    Attributes:
        title: never empty; from the file's name when not tagged.
        artist: the credit as shown, never empty; the album's artist or :data:`UNKNOWN_ARTIST` when not tagged. Several
            joined by "; ".
        artists: everyone in it.
        album, album_artist: as tagged.
        album_id: what all tracks of the album have in common.
        compilation: the album is by various artists.
        composer, work, movement, movement_number: of classical music.
        genre: as tagged, several joined by "; ".
        year, original_year: the first plausible one in the date, and in that of the first release.
        track_number, track_total, disc_number, disc_total: from 1.
        track_gain, album_gain: dB to -18 LUFS.
        track_peak, album_peak: 1 is full scale.
        has_lyrics, has_art: in the file.
        musicbrainz_recording, musicbrainz_release, acoustid: identifiers.
    """

    title: str
    artist: str
    artists: tuple[str, ...]
    album: str
    album_artist: str
    album_id: str | None
    compilation: bool
    composer: str
    work: str
    movement: str
    movement_number: int | None
    genre: str
    year: int | None
    original_year: int | None
    track_number: int | None
    track_total: int | None
    disc_number: int | None
    disc_total: int | None
    track_gain: float | None
    album_gain: float | None
    track_peak: float | None
    album_peak: float | None
    has_lyrics: bool
    has_art: bool
    musicbrainz_recording: str | None
    musicbrainz_release: str | None
    acoustid: str | None


def read_tags(file: BinaryIO, size: int, path: str, root: str = "", separators: Sequence[str] = ()) -> Tags:
    """The tags of an open audio file.

    Args:
        file: open for reading.
        size: its bytes.
        path: where it lies, for what is not tagged.
        root: the scanned folder; the folders below it may name artist and album.
        separators: texts between the artists of one tag, such as ";"; by default a tag names one artist.
    """
    blocks = read_blocks(file, size)
    return make_tags(merge_fields(blocks), path, root, separators, has_art=has_art(blocks))


def has_art(blocks: Iterable[TagBlock]) -> bool:
    """True where the tags hold a picture."""
    return any(block.pictures for block in blocks)


def make_tags(
    fields: Mapping[str, Sequence[str]], path: str, root: str, separators: Sequence[str], *, has_art: bool
) -> Tags:
    """The tags that merged fields make; for the arguments see :func:`read_tags`."""
    found = _Fields(fields)
    title, credit, album = found.first("title"), found.joined("artist"), found.first("album")
    album_artist, artists = found.joined("album_artist"), found.artists(separators)
    named = PathTags() if title else tags_from_path(path, root)
    untagged = not (title or credit or album)
    if untagged:
        credit, album = clean_text(named.artist), clean_text(named.album)
    credit = credit or _joined(artists) or album_artist or UNKNOWN_ARTIST
    compilation = found.flag("compilation") or found.is_various(album_artist)
    disc_of_album = _DISC_OF_ALBUM.search(album)
    track, track_total = found.pair("track")
    disc, disc_total = found.pair("disc")
    release = found.identifier("musicbrainz_release")
    return Tags(
        title=title or clean_text(_without_artist(named.title, credit)) or "Untitled",
        artist=credit,
        artists=artists or (credit,),
        album=album,
        album_artist=album_artist,
        album_id=album_key(VARIOUS if compilation else album_artist or (artists or (credit,))[0], album, release),
        compilation=compilation,
        composer=found.joined("composer"),
        # iTunes keeps the work in the content group, which without a movement is any group.
        work=found.first("work") or (found.first("content_group") if found.first("movement") else ""),
        movement=found.first("movement"),
        movement_number=found.pair("movement_number")[0],
        genre=found.genres(),
        year=found.year("date") or found.year("original_date") or (named.year if untagged else None),
        original_year=found.year("original_date"),
        track_number=track or named.track,
        track_total=track_total or found.pair("track_total")[0],
        disc_number=disc or (int(disc_of_album[1]) if disc_of_album else named.disc if untagged else None),
        disc_total=disc_total or found.pair("disc_total")[0],
        track_gain=found.gain("track_gain"),
        album_gain=found.gain("album_gain"),
        track_peak=found.decimal("track_peak", 0, _HIGHEST_PEAK),
        album_peak=found.decimal("album_peak", 0, _HIGHEST_PEAK),
        has_lyrics=bool(found.first("lyrics") or found.first("synced_lyrics")),
        has_art=has_art,
        musicbrainz_recording=found.identifier("musicbrainz_recording"),
        musicbrainz_release=release,
        acoustid=found.identifier("acoustid"),
    )


def album_key(owner: str, album: str, release: str | None = None) -> str | None:
    """What the tracks of an album have in common: MusicBrainz's release, else the album's artist and title without its disc."""
    if not album:
        return None
    title = _DISC_OF_ALBUM.sub("", album) or album
    key = release or f"{owner.casefold()}\0{title.casefold()}"
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _without_artist(name: str, artist: str) -> str:
    """A title from a file's name, without the artist in front of it."""
    front, dash, title = name.partition(" - ")
    return title if dash and front.strip().casefold() == artist.casefold() else name


@dataclass(frozen=True, slots=True)
class _Fields:
    """The merged fields of a file, read as what they are to be."""

    values: Mapping[str, Sequence[str]]

    def first(self, name: str) -> str:
        """The first value that says something."""
        values = self.values.get(name)
        return next((text for text in _cleaned(values) if text), "") if values else ""

    def joined(self, name: str) -> str:
        """All values in one text."""
        return _joined(_cleaned(self.values.get(name, ())))

    def artists(self, separators: Sequence[str]) -> tuple[str, ...]:
        """Everyone in the credit: the list where there is one, else the several values of the credit, else its parts."""
        credit = self.joined("artist")
        names = _cleaned(self.values.get("artists", ()))
        if len(names) == 1:  # ID3v2.3 holds one text, in which the list is joined
            names = _split_list(names[0], credit)
        for_splitting = "|".join(re.escape(separator) for separator in separators if separator.strip())
        if not names:
            names = _cleaned(self.values.get("artist", ()))
            if for_splitting:
                names = _cleaned(part for name in names for part in re.split(for_splitting, name))
        return tuple(dict.fromkeys(name for name in names if name))[:_MOST_ARTISTS]

    def genres(self) -> str:
        """The genres, several joined."""
        return _joined(_cleaned(part for value in self.values.get("genre", ()) for part in value.split(";")))

    def flag(self, name: str) -> bool:
        """True where the field says yes."""
        return self.first(name).casefold() in _YES

    def is_various(self, album_artist: str) -> bool:
        """True for an album whose artist is nobody."""
        return album_artist.casefold() in _VARIOUS or _VARIOUS_ID in self.values.get("musicbrainz_album_artist", ())

    def year(self, name: str) -> int | None:
        """The first plausible year."""
        matches = (_YEAR.search(value[:LONGEST_TEXT]) for value in self.values.get(name, ()))
        return next((int(match[1]) for match in matches if match), None)

    def pair(self, name: str) -> tuple[int | None, int | None]:
        """A number, and the total behind it."""
        match = _PAIR.match(next(iter(self.values.get(name, ())), "")[:LONGEST_TEXT])
        return (_number(match[1]), _number(match[2] or "")) if match else (None, None)

    def decimal(self, name: str, least: float, most: float) -> float | None:
        """A decimal number between two bounds; units behind it do not matter."""
        match = _DECIMAL.match(self.first(name))
        value = float(match[0].replace(",", ".")) if match else None
        return value if value is not None and least < value < most else None

    def gain(self, name: str) -> float | None:
        """ReplayGain in dB, or R128's in 256ths relative to another loudness."""
        gain = self.decimal(name, -_LOUDEST_GAIN, _LOUDEST_GAIN)
        if gain is not None:
            return gain
        most = _LOUDEST_GAIN * _R128_STEPS
        steps = self.decimal(f"r128_{name}", -most, most)
        return None if steps is None else round(steps / _R128_STEPS + _R128_TO_REPLAYGAIN, 4)

    def identifier(self, name: str) -> str | None:
        """The first UUID."""
        return next(
            (text for value in self.values.get(name, ()) if _UUID.fullmatch(text := value.strip().lower())), None
        )


def _cleaned(values: Iterable[str]) -> list[str]:
    """Values cleaned; one may itself hold several between NULs."""
    return [clean_text(part) for value in values for part in value.split("\0")]


def _joined(texts: Iterable[str]) -> str:
    """Distinct texts in order."""
    return _SEPARATOR.join(dict.fromkeys(text for text in texts if text))[:LONGEST_TEXT]


def _split_list(text: str, credit: str) -> list[str]:
    """A list of artists written as one text, taken apart where all its parts stand in the credit and it does not."""
    folded = credit.casefold()
    for separator in (";", "/"):
        parts = [part.strip() for part in text.split(separator)]
        if len(parts) > 1 and text.casefold() not in folded and all(part.casefold() in folded for part in parts):
            return parts
    return [text]


def _number(text: str) -> int | None:
    """A number from 1; None for 0 and nonsense."""
    return (int(text) or None) if text and len(text) <= len(str(_LARGEST_NUMBER)) else None
