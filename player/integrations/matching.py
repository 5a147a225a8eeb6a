"""Which track of the library a name in a history means – or several alike, or none. Nothing is guessed.

In this order, and the first that finds something decides:

1. *recording*: the MusicBrainz recording in the file's tags is the one named;
2. *path*: the file lies in the other player's folder as it lies here;
3. *exact*: artist and title are equal once brought to one form (:mod:`player.library.name_normalisation`), and so is the version;
4. *version*: the same, but one is a live recording, an edit or an extended version and the other is not;
5. *fuzzy*: artist and title are equal but for a few typing errors (:func:`edits_allowed`). Numbers are never taken for
   misspelt, and neither is a word that other names of the library or of the history have, too: "Light" is no misspelt
   "Night".

Of several, the album decides, then the length; copies of one recording count as one. What is left is ambiguous.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from player.integrations.history.entries import TrackName
from player.library.name_normalisation import TitleKey, album_key, artist_keys, title_key
from player.library.paths import file_of
from player.text import UNKNOWN_ARTIST

NEAR_LENGTH = 3.0
"""Seconds by which a source's length may differ from the file's: services round, and count silence differently."""
SAME_LENGTH = 2.0
"""Seconds by which two rips of one recording differ at most, as ``player.insight.duplicates`` has it."""
_EDITS = ((5, 0), (10, 1), (18, 2))
_MOST_EDITS = 3
ARTISTS_OF_A_WORD = 3
TOLERATED = frozenset({"live", "edit", "extended"})
"""Versions whose liking says something about the plain one, where the library has only that; a remix or a demo does not."""


class How(StrEnum):
    """What a match rests on."""

    RECORDING = "recording"
    PATH = "path"
    EXACT = "exact"
    VERSION = "version"
    FUZZY = "fuzzy"


class Status(StrEnum):
    """What became of a name."""

    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class LibraryTrack:
    """A track as it is compared with names.

    Attributes:
        paths: where its files lie, as text, also those that are missing.
        there: whether one of them was there at the last scan.
        recording_id: the MusicBrainz recording in its tags; empty where there is none or nobody looked.
    """

    id: int
    artist: str
    title: str
    album: str
    album_artist: str
    duration: float
    paths: tuple[str, ...] = ()
    there: bool = True
    recording_id: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """What a name means.

    Attributes:
        how: what it rests on; None where nothing was found.
        tracks: one when matched, several when ambiguous, none when unmatched.
    """

    how: How | None
    tracks: tuple[LibraryTrack, ...]

    @property
    def status(self) -> Status:
        """Matched, ambiguous or unmatched."""
        if not self.tracks:
            return Status.UNMATCHED
        return Status.MATCHED if len(self.tracks) == 1 else Status.AMBIGUOUS


UNMATCHED = Match(None, ())


def edits_allowed(length: int) -> int:
    """How many letters may be wrong, missing, too many or swapped in a name of so many characters.

    None below 5 ("Help" is not "Hell"), one below 10, two below 18, then three.
    """
    return next((edits for below, edits in _EDITS if length < below), _MOST_EDITS)


def words_in_use(names: Iterable[TrackName]) -> set[str]:
    """The words that titles of :data:`ARTISTS_OF_A_WORD` artists in a history have: hardly a typing error of each."""
    artists: dict[str, set[str]] = defaultdict(set)
    for name in names:
        for word in title_key(name.title).core.split():
            artists[word].add(name.artist)
    return {word for word, users in artists.items() if len(users) >= ARTISTS_OF_A_WORD}


class Matcher:
    """Finds the tracks of one library.

    Args:
        tracks: the library.
        words: what is a word and no typing error besides those of the library (see :func:`words_in_use`).
    """

    def __init__(self, tracks: Iterable[LibraryTrack], words: Iterable[str] = ()) -> None:
        self._by_artist: dict[str, dict[str, list[LibraryTrack]]] = defaultdict(lambda: defaultdict(list))
        """artist key → title core → tracks."""
        self._words = set(words)
        """Those, and every word of the library's artists and titles."""
        self._by_recording: dict[str, list[LibraryTrack]] = defaultdict(list)
        self._by_file: dict[str, list[tuple[str, LibraryTrack]]] = defaultdict(list)
        """file name → (path, track)."""
        for track in tracks:
            self._add(track)
        self._artists = list(self._by_artist)
        self._near_artists: dict[str, list[tuple[str, int]]] = {}

    def _add(self, track: LibraryTrack) -> None:
        credited = [credit for credit in (track.artist, track.album_artist) if credit and credit != UNKNOWN_ARTIST]
        core = title_key(track.title).core
        for key in {key for credit in credited for key in artist_keys(credit)}:
            self._by_artist[key][core].append(track)
            self._words.update(key.split())
        self._words.update(core.split())
        if track.recording_id:
            self._by_recording[track.recording_id].append(track)
        for path in track.paths:
            file = file_of(path)
            self._by_file[_file_name(file)].append((file, track))

    def match(self, name: TrackName) -> Match:
        """What ``name`` means."""
        if name.recording_id and (found := self._by_recording.get(name.recording_id)):
            return Match(How.RECORDING, _decide(found, name))
        if name.path and (found := self._at_path(name.path)):
            title = title_key(name.title)  # a file that a cue sheet divides has several tracks
            return Match(How.PATH, _decide([one for one in found if title_key(one.title) == title] or found, name))
        if not name.title or not name.artist:
            return UNMATCHED
        return self._by_name(name)

    def _at_path(self, path: str) -> list[LibraryTrack]:
        wanted = path.lstrip("/")
        candidates = self._by_file.get(_file_name(path), ())
        return _distinct(track for known, track in candidates if known == path or known.endswith(f"/{wanted}"))

    def _by_name(self, name: TrackName) -> Match:
        title = title_key(name.title)
        for how, found in ((How.EXACT, self._exact), (How.FUZZY, self._fuzzy)):
            tracks = found(name.artist, title)
            if same := [track for track in tracks if title_key(track.title).versions == title.versions]:
                return Match(how, _decide(same, name))
            if alike := [track for track in tracks if _tolerable(title_key(track.title), title)]:
                return Match(How.VERSION if how is How.EXACT else how, _decide(alike, name))
        return UNMATCHED

    def _exact(self, artist: str, title: TitleKey) -> list[LibraryTrack]:
        """Tracks of that artist and core: by the whole credit if it is known, else by those artists in it."""
        whole, *parts = artist_keys(artist) or ("",)
        if found := self._titled(whole, title.core):
            return list(found)
        return _distinct(
            track for part in parts for track in self._titled(part, title.core) if _same_people(artist, track)
        )

    def _titled(self, artist: str, core: str) -> Sequence[LibraryTrack]:
        titles = self._by_artist.get(artist)
        return titles.get(core, ()) if titles is not None else ()

    def _fuzzy(self, artist: str, title: TitleKey) -> list[LibraryTrack]:
        """The tracks fewest typing errors away, over artist and title together."""
        best: dict[int, list[LibraryTrack]] = defaultdict(list)
        whole, *parts = artist_keys(artist) or ("",)
        for near, artist_edits in self._artists_near(whole):
            for core, edits in self._titles_near(near, title):
                best[artist_edits + edits] += self._by_artist[near][core]
        for part in parts:
            # Misspelt names within a credit are left alone: too little would be certain.
            for core, edits in self._titles_near(part, title) if part in self._by_artist else ():
                if same := [track for track in self._by_artist[part][core] if _same_people(artist, track)]:
                    best[edits] += same
        return _distinct(best[min(best)]) if best else []

    def _artists_near(self, key: str) -> list[tuple[str, int]]:
        if key not in self._near_artists:
            found = process.extract(
                key, self._artists, scorer=OSA.distance, score_cutoff=edits_allowed(len(key)), limit=None
            )
            self._near_artists[key] = [(near, int(edits)) for near, edits, _ in found if self._misspelt(key, near)]
        return self._near_artists[key]

    def _titles_near(self, artist: str, title: TitleKey) -> list[tuple[str, int]]:
        cores = list(self._by_artist[artist])
        allowed = edits_allowed(len(title.core))
        found = process.extract(title.core, cores, scorer=OSA.distance, score_cutoff=allowed, limit=None)
        return [
            (core, int(edits))
            for core, edits, _ in found
            if TitleKey(core, frozenset()).numbers == title.numbers and self._misspelt(title.core, core)
        ]

    def _misspelt(self, written: str, meant: str) -> bool:
        """Whether the words in which a name differs are words of no other name, as typing errors mostly are."""
        return self._words.isdisjoint(Counter(written.split()) - Counter(meant.split()))


def _same_people(artist: str, track: LibraryTrack) -> bool:
    """Whether one credit names only artists that the other names, too: "A" and "A, B", but not "A & B" and "A & C"."""
    named = set(artist_keys(artist)[1:] or artist_keys(artist))
    credited = (set(artist_keys(credit)[1:] or artist_keys(credit)) for credit in (track.artist, track.album_artist))
    return any(people and (people <= named or named <= people) for people in credited)


def _tolerable(one: TitleKey, other: TitleKey) -> bool:
    return one.versions ^ other.versions <= TOLERATED


def _decide(found: Sequence[LibraryTrack], name: TrackName) -> tuple[LibraryTrack, ...]:
    """Of tracks with the right name, the one that is meant; several where that cannot be told."""
    left = list(found)
    if name.album:
        album = album_key(name.album)
        left = [track for track in left if album_key(track.album) == album] or left
    if name.seconds is not None and len(left) > 1:
        left = [track for track in left if abs(track.duration - name.seconds) <= NEAR_LENGTH] or left
    if len(left) > 1 and _copies(left):
        return (min(left, key=lambda track: (not track.there, track.id)),)
    return tuple(left)


def _copies(tracks: Sequence[LibraryTrack]) -> bool:
    """Whether tracks of one name are one recording by their length too: two rips, or an album and a sampler."""
    lengths = [track.duration for track in tracks]
    same_title = len({title_key(track.title).core for track in tracks}) == 1
    return same_title and max(lengths) - min(lengths) <= SAME_LENGTH


def _distinct(tracks: Iterable[LibraryTrack]) -> list[LibraryTrack]:
    found: Mapping[int, LibraryTrack] = {track.id: track for track in tracks}
    return list(found.values())


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
