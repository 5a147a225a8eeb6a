"""MPD's filters over the library: ``find artist X album Y`` of old, and ``(Artist == "X") AND (!(Title contains "y"))``."""

import re
from collections.abc import Callable, Sequence

from player.library.search import normalise
from player.library.tracks import GENRE_SEPARATOR, TrackRow
from player.remote.protocol import Ack, AckError

Test = Callable[[TrackRow], bool]
Uri = Callable[[TrackRow], str]
DEEPEST = 32
"""Brackets within brackets; nobody writes more, and each costs a call."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<bracket>[()])|(?P<not>!(?!=))|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>[^\s()'"]+))"""
)
_ESCAPED = re.compile(r"\\(.)")
TAGS: dict[str, Callable[[TrackRow], Sequence[str]]] = {
    "artist": lambda row: row.all_artists,
    "albumartist": lambda row: (row.album_artist or row.artist,),
    "album": lambda row: (row.album,),
    "title": lambda row: (row.title,),
    "genre": lambda row: row.genre.split(GENRE_SEPARATOR),
    "date": lambda row: (str(row.year or ""),),
    "track": lambda row: (str(row.number or ""),),
    "disc": lambda row: (str(row.disc or ""),),
}
"""What a track has for each tag, by the tag's name in small letters."""
TAG_NAMES = {
    name.casefold(): name for name in ("Artist", "AlbumArtist", "Album", "Title", "Genre", "Date", "Track", "Disc")
}
"""As MPD writes them."""


def tag_values(name: str) -> Callable[[TrackRow], Sequence[str]]:
    """What a track has for a tag.

    Raises:
        AckError: there is no such tag here.
    """
    try:
        return TAGS[name.casefold()]
    except KeyError:
        raise AckError(Ack.ARG, f"“{name[:40]}” is no tag here; there are {', '.join(TAG_NAMES.values())}") from None


def parse_filter(words: Sequence[str], uri: Uri, *, exact: bool) -> Test:
    """The test that the words of a ``find`` (exact) or ``search`` mean.

    Args:
        words: one expression in brackets, or pairs of tag and value, all of which have to hold.
        uri: names a track's file.
        exact: compare letter by letter and whole; else anywhere in the value, without regard to case and accents.

    Raises:
        AckError: they mean nothing.
    """
    tests: list[Test] = []
    rest = list(words)
    while rest:
        if rest[0].startswith("("):
            tests.append(_Expression(rest.pop(0), uri, exact=exact).test)
        elif len(rest) == 1:
            raise AckError(Ack.ARG, f"there is no value for “{rest[0][:40]}”")
        else:
            tests.append(_term(rest.pop(0), "==" if exact else "contains", rest.pop(0), uri, exact=exact))
    return _all(tests)


def _all(tests: Sequence[Test]) -> Test:
    return lambda row: all(test(row) for test in tests)


def _term(field: str, operator: str, value: str, uri: Uri, *, exact: bool) -> Test:
    """One comparison; ``file``, ``base`` and ``any`` are no tags but stand for the file, its folder and every tag."""
    name = field.casefold()
    if name in {"file", "filename"}:
        return _compare(lambda row: (uri(row),), operator, value, exact=exact)
    if name == "any":
        every = list(TAGS.values())
        return _compare(lambda row: [each for tag in every for each in tag(row)], operator, value, exact=exact)
    return _compare(tag_values(name), operator, value, exact=exact)


def _compare(values: Callable[[TrackRow], Sequence[str]], operator: str, value: str, *, exact: bool) -> Test:
    operator, case = operator.removesuffix("_cs").removesuffix("_ci"), operator[-3:]
    fold = str if case == "_cs" or (exact and case != "_ci") else normalise
    wanted = fold(value)
    if operator in {"==", "eq"}:
        # MPD's way of asking for tracks without the tag is an empty value.
        return lambda row: wanted in map(fold, values(row))
    if operator == "!=":
        return lambda row: wanted not in map(fold, values(row))
    if operator == "contains":
        return lambda row: any(wanted in fold(each) for each in values(row))
    if operator == "!contains":
        return lambda row: all(wanted not in fold(each) for each in values(row))
    if operator == "starts_with":
        return lambda row: any(fold(each).startswith(wanted) for each in values(row))
    if operator == "!starts_with":
        return lambda row: not any(fold(each).startswith(wanted) for each in values(row))
    # Regular expressions (=~) can be written so that they never end.
    raise AckError(Ack.ARG, f"“{operator[:20]}” is no comparison here; there are ==, !=, contains and starts_with")


class _Expression:
    """One expression in brackets, read by recursive descent."""

    def __init__(self, text: str, uri: Uri, *, exact: bool) -> None:
        self._text, self._place, self._depth = text, 0, 0
        self._uri, self._exact = uri, exact
        self.test = self._bracket()
        if self._text[self._place :].strip():
            raise self._wrong("nothing")

    def _wrong(self, wanted: str) -> AckError:
        return AckError(Ack.ARG, f"{wanted} expected in the filter at “{self._text[self._place :][:20]}”")

    def _next(self, kind: str, value: str = "") -> str | None:
        """Read on if the next token is of that kind (and value)."""
        found = _TOKEN.match(self._text, self._place)
        if found is None or found[kind] is None or (value and found[kind] != value):
            return None
        self._place = found.end()
        return found[kind]

    def _expect(self, kind: str, value: str, words: str) -> str:
        token = self._next(kind, value)
        if token is None:
            raise self._wrong(words)
        return token

    def _bracket(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise AckError(Ack.ARG, f"a filter has no more than {DEEPEST} brackets within each other")
        self._expect("bracket", "(", "an opening bracket")
        test = self._inside()
        self._expect("bracket", ")", "a closing bracket")
        self._depth -= 1
        return test

    def _inside(self) -> Test:
        if self._next("not"):
            inner = self._bracket()
            return lambda row: not inner(row)
        field = self._next("word")
        if field is None:
            tests = [self._bracket()]
            while self._next("word", "AND"):
                tests.append(self._bracket())
            return _all(tests)
        if field.casefold() == "base":
            folder = self._value().strip("/")
            return lambda row: not folder or f"{self._uri(row)}/".startswith(f"{folder}/")
        negated = "!" if self._next("not") else ""
        operator = self._expect("word", "", "a comparison")
        return _term(field, negated + operator, self._value(), self._uri, exact=self._exact)

    def _value(self) -> str:
        return _ESCAPED.sub(r"\1", self._expect("quoted", "", "a quoted value")[1:-1])
