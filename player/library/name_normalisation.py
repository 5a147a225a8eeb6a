"""Names of artists, titles and albums brought to one form, so that two spellings of one name become equal.

A title is taken apart into its core and its versions: "Song (feat. X) - 2011 Remaster" is the same recording as "Song", while
"Song - Live" is another version of it, which is kept apart and told apart.
"""

# ruff: noqa: RUF001 - letters that look like others are what this is about

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from player.library.tracks import TrackRow

_LETTERS = str.maketrans(
    {
        "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "đ": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h", "ŋ": "n",
        # Cyrillic, as titles are commonly written in Latin letters (without accents, which are gone by then).
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l",
        "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "є": "ie", "і": "i",
        "ґ": "g",
    }
)  # fmt: skip
"""Letters that do not come apart into a base letter and an accent."""
_APOSTROPHES = re.compile("['’‘ʼ`´]")
_AND = re.compile(r"\s*[&+]\s*")
_ARTICLE_LAST = re.compile(r"^(.*\S), (the|a|an)$")
_ARTICLE_FIRST = re.compile(r"^((the|a|an) )+(?=\S)")
_ARTICLES = frozenset({"the", "a", "an"})
_BRACKET = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}")
_DASH = re.compile(r"\s+[-–—/]\s+")
_GUEST = re.compile(r"\s+(?:feat\.?|ft\.?|featuring)\s+.*$")
_PARTS = re.compile(r"\s*(?:;|,|/|&|\+|\bfeat\b\.?|\bft\b\.?|\bfeaturing\b|\bvs\b\.?|\bwith\b|\bx\b|\band\b)\s*")
_PART = re.compile(r"\bpt\b")
_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"\b(?:x{0,3}(?:ix|iv|v?i{1,3}|v)|x{1,3})\b")

_NEUTRAL = re.compile(
    r"\bremaster(?:ed|s)?\b|^(?:feat|ft|featuring|with|from|prod|starring)\b|\b(?:deluxe|expanded|anniversary|collectors?|special"
    r"|limited) (?:edition|version)\b|^(?:deluxe|expanded|explicit|clean|mono|stereo|bonus track|bonus|original|album)$"
    r"|^(?:\d{4} )?(?:mono|stereo|original|album|lp|main|full|studio|explicit|clean|digital)"
    r"(?: (?:version|mix|recording|master))?(?: \d{4})?$|^\d{4}(?: (?:version|digital master))?$|\bsoundtrack\b|^bonus\b|^hd$|^hq$"
    r"|^official\b|\blyrics?$"
)
"""What stands behind a title without making it another recording."""
_VERSIONS = {
    "live": re.compile(r"\blive\b|\bunplugged\b|\bin concert\b"),
    "remix": re.compile(r"\bremix(?:ed)?\b|\brmx\b|\bmix\b|\bdub\b|\brework\b|\bbootleg\b|\bmashup\b|\bvip\b"),
    "acoustic": re.compile(r"\bacoustic\b|\bstripped\b|\bpiano version\b"),
    "demo": re.compile(r"\bdemo\b|\brehearsal\b|\bouttake\b|\btake \d+\b|\balternat(?:e|ive)\b|\bearly\b"),
    "instrumental": re.compile(r"\binstrumental\b|\bkaraoke\b|\bbacking track\b"),
    "vocal": re.compile(r"\ba ?cap+ella\b"),
    "edit": re.compile(r"\bedit\b|\bradio\b|\bsingle\b|\bshort version\b|^7\b"),
    "extended": re.compile(r"\bextended\b|\blong version\b|^12\b"),
    "session": re.compile(r"\bsessions?\b"),
    "again": re.compile(r"\bre ?record(?:ed|ing)\b|\btaylors version\b|\bnew version\b|\bcover\b|\borchestral\b"),
    "speed": re.compile(r"\bsped up\b|\bslowed\b|\bnightcore\b"),
}
"""What stands behind a title and makes it another version, and what that version is called here."""


@dataclass(frozen=True, slots=True)
class TitleKey:
    """A title in its one form: its core, and which version of the piece it is (empty for the plain one)."""

    core: str
    versions: frozenset[str]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers in it, Roman ones too: a fifth symphony is no misspelt sixth."""
        return tuple(_DIGITS.findall(self.core) + _ROMAN.findall(self.core))


@lru_cache(maxsize=1 << 16)
def plain(text: str) -> str:
    """One form of a name: small Latin letters without accents, digits and single spaces, no article in front.

    A name of nothing but signs ("!!!") keeps them.
    """
    folded = _folded(text)
    moved = _ARTICLE_LAST.sub(r"\2 \1", folded)
    joined = _AND.sub(" and ", _APOSTROPHES.sub("", moved))
    words = " ".join("".join(c if c.isalnum() else " " for c in joined).split())
    return _ARTICLE_FIRST.sub("", words) if words and words != "and" else "".join(folded.split())


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold().translate(_LETTERS)


@lru_cache(maxsize=1 << 16)
def title_key(title: str) -> TitleKey:
    """The core and the versions of a title."""
    versions: set[str] = set()
    rest = _GUEST.sub("", _folded(title)) if not _folded(title).startswith(("feat", "ft")) else _folded(title)
    while found := next((one for one in _BRACKET.finditer(rest) if _qualifies(one[1] or one[2] or one[3] or "")), None):
        shorter = f"{rest[: found.start()]} {rest[found.end() :]}"
        if not plain(shorter):
            break
        versions |= _versions_of(found[1] or found[2] or found[3] or "")
        rest = shorter
    pieces = _DASH.split(rest)
    while len(pieces) > 1 and pieces[0].strip() and _qualifies(pieces[-1]):
        versions |= _versions_of(pieces.pop())
    core = _PART.sub("part", plain(" - ".join(pieces)))
    return TitleKey(core, frozenset(versions))


def _qualifies(text: str) -> bool:
    words = plain(text)
    return not words or _NEUTRAL.search(words) is not None or bool(_versions_of(text))


def _versions_of(text: str) -> frozenset[str]:
    words = plain(text)
    named = frozenset(name for name, pattern in _VERSIONS.items() if pattern.search(words))
    # A mono mix or an original mix is the recording itself; a guest named "Live" is no concert.
    return frozenset() if re.match(r"(?:feat|ft|featuring|with)\b", words) or _PLAIN_MIX.search(words) else named


_PLAIN_MIX = re.compile(r"^(?:\d{4} )?(?:mono|stereo|original|album)(?: (?:mix|single))?(?: version)?(?: \d{4})?$")


@lru_cache(maxsize=1 << 16)
def artist_keys(artist: str) -> tuple[str, ...]:
    """The forms an artist may be found under: the whole credit first, then each of several artists in it."""
    whole = plain(artist)
    parts = [plain(part) for part in _PARTS.split(_folded(artist)) if part.strip()]
    others = [part for part in parts if part not in _ARTICLES]
    return tuple(dict.fromkeys(key for key in (whole, *others) if key))


@lru_cache(maxsize=1 << 16)
def album_key(album: str) -> str:
    """An album without the words that only name its edition."""
    return title_key(album).core if album else ""


_BEFORE_VERSION = (" (", " [", " {", " - ", " – ", " / ")
"""Behind these a title names a version."""


def find_versions(rows: Sequence[TrackRow], artists: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """By row the rows of the same song by the same artist; ``artists`` has each row's code, negative where unknown."""
    first: dict[tuple[int, str], int] = {}
    alike: dict[int, list[int]] = {}
    for row, (track, artist) in enumerate(zip(rows, artists, strict=True)):
        title = track.title.casefold()
        for mark in _BEFORE_VERSION:
            if mark in title:
                title = title.partition(mark)[0]
        # Most titles have no other: the exact key is made for those alone that do, which takes a quarter of the time.
        if (other := first.setdefault((artist, title), row)) != row and artist >= 0:
            alike.setdefault(other, [other]).append(row)
    return {row: others for members in alike.values() for row, others in _same_song(rows, members).items()}


def _same_song(rows: Sequence[TrackRow], members: Sequence[int]) -> dict[int, tuple[int, ...]]:
    songs: dict[str, list[int]] = defaultdict(list)
    for row in members:
        songs[title_key(rows[row].title).core].append(row)
    return {row: others for same in songs.values() for row in same if (others := _others(rows, row, same))}


def _others(rows: Sequence[TrackRow], row: int, same: Sequence[int]) -> tuple[int, ...]:
    """The other versions; pieces of one name on one album ("Intro", "Adagio") are several."""
    own = rows[row].title, rows[row].album_key
    return tuple(other for other in same if other != row and (rows[other].title, rows[other].album_key) != own)
