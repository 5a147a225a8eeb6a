"""The query language: one for the screen, the command line, smart playlists, seeds of stations and exclusions.

``artist:bjork year:1990..1999 -live plays:0 skips:>3 thumb:up tag:mellow added:<30d length:>20m (genre:jazz or path:Kids)``:
conditions side by side all hold; ``or`` and parentheses group, ``-`` or ``NOT`` negates. A word finds words that begin with it;
in quotes, or negated, it stands for itself.
"""

import difflib
import math
import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeGuard

from player.errors import UsageError
from player.storage.folding import words_of

if TYPE_CHECKING:
    import sqlite3

    from player.storage.database import Database

TEXT_FIELDS = ("artist", "album", "title", "genre", "composer", "work", "path", "playlist", "tag")
NUMBER_FIELDS = ("id", "year", "plays", "skips", "length", "added", "played", "thumb")
MOOD = "mood"
"""Another word for a tag: how listeners feel is heard in a track as its kind is."""
FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS)
FIELDS_TO_WRITE = ", ".join(f"{name}:" for name in FIELDS)
LONGEST = 2000
"""Characters of a query; a person writes fewer than two hundred."""
DEEPEST = 20
"""Parentheses and signs within each other."""
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DAY = 86_400.0
_AGES = {"h": 3600.0, "d": _DAY, "w": 7 * _DAY, "m": 30.4375 * _DAY, "y": 365.25 * _DAY}
"""Months and years of mean length."""
_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<bar>\|)|(?P<minus>-(?=[^\s)]))"
    r"|(?:(?P<field>[A-Za-z]+):)?(?:\"(?P<quoted>[^\"]*)(?P<closed>\"?)|(?P<bare>[^\s()|\"][^\s()]*))?)"
)
_OPERATORS = {"or": "or", "OR": "or", "Or": "or", "and": "and", "AND": "and", "And": "and", "NOT": "not"}
"""In small letters "not" is a word of many titles."""
_COMPARISON = re.compile(r"(>=|<=|>|<|=)(.+)")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d\d)")
_PIECES = re.compile(r"(?:\d{1,6}(?:\.\d{1,3})?(?:min|[hms]))+")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


class QueryError(UsageError):
    """A query that means nothing; the sentence points at the word.

    Attributes:
        start, end: the characters of the query that are wrong.
    """

    def __init__(self, query: str, start: int, end: int, problem: str) -> None:
        word = query[start:end].strip() or query[start:].strip()[:20]
        place = f"at “{word}” (character {start + 1})" if word else "at its end"
        super().__init__(f"In the search, {place}: {problem}")
        self.start, self.end = start, end


@dataclass(frozen=True, slots=True)
class Words:
    """Words that follow each other in ``field`` (anywhere when that is empty); the last may go on unless they are ``whole``."""

    field: str
    text: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A number from ``low`` to ``high``, both included: of ``field``, or with ``ago`` of the seconds since that moment.

    The units are years, counts, seconds (length) and seconds since 1970 (added, played).
    """

    field: str
    low: float = -math.inf
    high: float = math.inf
    ago: bool = False


@dataclass(frozen=True, slots=True)
class Thumbed:
    """A thumb on any station, or none at all where ``way`` is "none"."""

    way: str


@dataclass(frozen=True, slots=True)
class Not:
    """What does not meet ``part``."""

    part: "Query"


@dataclass(frozen=True, slots=True)
class All:
    """What meets all parts; without any, everything."""

    parts: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """What meets one part at least."""

    parts: "tuple[Query, ...]"


Query = Words | Span | Thumbed | Not | All | Either


def parse_query(text: str) -> Query:
    """The conditions of a query; a quote or parenthesis left open ends with it, a field without its word says nothing.

    Raises:
        QueryError: it means nothing; the sentence names the word and what may stand there.
    """
    if len(text) > LONGEST:
        raise QueryError(text, LONGEST, LONGEST + 1, f"a search is at most {LONGEST} characters long.")
    return _Parser(text).parse()


def playlist_query(name: str) -> str:
    """The query that finds the tracks of one playlist; no quote can stand in one."""
    return f'playlist:"{name.replace(chr(34), " ")}"'


def point_elsewhere(text: str, meant: Callable[[Words], bool], name: str) -> str:
    """A query in which every condition on a playlist that is ``meant`` asks for the one called ``name`` instead."""

    def written(token: re.Match[str]) -> str:
        value = (token["quoted"] if token["bare"] is None else token["bare"]) or ""
        about = (token["field"] or "").lower() == "playlist" and meant(Words("playlist", value, bool(token["closed"])))
        return token[0].partition(token["field"])[0] + playlist_query(name) if about else token[0]

    return _TOKEN.sub(written, text)


def leaves(query: Query) -> list[Words | Span | Thumbed]:
    """Every single condition of a query."""
    match query:
        case All(parts) | Either(parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(part):
            return leaves(part)
        case _:
            return [query]


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match for match in _TOKEN.finditer(text) if match[0].strip()]
        self._at = 0
        self._depth = 0

    def parse(self) -> Query:
        query = self._either()
        if self._at < len(self._tokens):
            self._fail("this parenthesis was never opened; remove it.")
        return query

    def _either(self) -> Query:
        parts = [self._all()]
        while self._operator() == "or":
            self._at += 1
            if not self._more():
                self._fail("“or” joins two conditions; write one after it.", last=True)
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Query:
        parts: list[Query] = []
        while self._more():
            operator = self._operator()
            if operator == "or" and parts:
                break
            if operator == "and" and parts and self._at + 1 < len(self._tokens):
                self._at += 1
            if (part := self._one()) is not None:
                parts.append(part)
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _more(self) -> bool:
        return self._at < len(self._tokens) and not self._tokens[self._at]["close"]

    def _operator(self) -> str:
        """The operator that stands here, if any; a word that is none is one."""
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        if token["bar"]:
            return "or"
        return "" if token["field"] else _OPERATORS.get(token["bare"] or "", "")

    def _one(self) -> Query | None:
        token = self._tokens[self._at]
        self._at += 1
        if token["bar"]:
            self._fail("there is nothing before it.", last=True)
        negated = token["minus"] or (
            self._more() and not token["field"] and _OPERATORS.get(token["bare"] or "") == "not"
        )
        if negated or token["open"]:
            self._depth += 1
            if self._depth > DEEPEST:
                self._fail("the search is nested too deeply.", last=True)
            if negated:
                part = self._one() if self._more() else self._fail("nothing follows that could be left out.", last=True)
                part = None if part is None else Not(_whole(part))
            else:
                part = self._either()
                self._at += self._at < len(self._tokens)
            self._depth -= 1
            return part
        return self._condition(token)

    def _condition(self, token: re.Match[str]) -> Query | None:
        field, bare = (token["field"] or "").lower(), token["bare"]
        value = (token["quoted"] if bare is None else bare) or ""
        field = "tag" if field == MOOD else field
        if field and field not in FIELDS:
            if not value:
                return Words("", field)
            close = difflib.get_close_matches(field, FIELDS, n=1)
            hint = (
                f"did you mean {close[0]}:?"
                if close
                else f"there are {FIELDS_TO_WRITE}; put other words with a colon in quotes."
            )
            self._fail(f"there is no field “{field}”; {hint}", last=True)
        if not value.strip(" -"):
            return None
        if field == "thumb":
            return self._thumb(value)
        if field in NUMBER_FIELDS:
            try:
                return _number(field, value.strip().lower())
            except ValueError as error:
                self._fail(str(error), last=True)
        return Words(field, value, whole=bool(token["closed"]))

    def _thumb(self, value: str) -> Query:
        if value.lower() not in {"up", "down", "none"}:
            self._fail("a thumb is up, down or none.", last=True)
        return Thumbed(value.lower())

    def _fail(self, problem: str, *, last: bool = False) -> NoReturn:
        """Point at the present token, or the last one taken."""
        token = self._tokens[min(self._at - last, len(self._tokens) - 1)]
        start = token.start() + len(token[0]) - len(token[0].lstrip())
        raise QueryError(self._text, start, token.end(), problem)


def _whole(query: Query) -> Query:
    """A negated word leaves out itself alone: ``-live`` keeps Liverpool. A playlist goes by its name as ever."""
    if isinstance(query, Words) and query.field != "playlist":
        return Words(query.field, query.text, whole=True)
    return query


def _number(field: str, text: str) -> Query:
    """The condition that a number, a comparison or a range sets.

    Raises:
        ValueError: it is none; the message says what may be written.
    """
    if field == "played" and text == "never":
        return Not(Span("played"))
    dated = field in {"added", "played"}
    read = {"id": _count, "year": _count, "plays": _count, "skips": _count, "length": _length}.get(field, _date)
    examples = {
        "year": "year:1994, year:1990..1999, year:<1980",
        "length": "length:>20m, length:3:30..5:00, length:<90s",
        "added": "added:<30d, added:2026-05, added:>2026-01-31",
        "played": "played:<7d, played:>1y, played:never",
    }.get(field, f"{field}:0, {field}:>3, {field}:2..5")
    try:
        if dated and any(unit in text for unit in _AGES):
            low, high = _bounds(text, _age, loose=True)
            return Span(field, low, high, ago=True)
        low, high = _bounds(text, read, years=field == "year")
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is nothing to compare with; write {examples}.") from None
    return Span(field, low, high)


def _bounds(
    text: str, read: Callable[[str], tuple[float, float]], *, years: bool = False, loose: bool = False
) -> tuple[float, float]:
    """The ends of a comparison or range, both included.

    Args:
        text: what was written.
        read: first and last number that a text stands for.
        years: whether "1990-1999" is a range as well.
        loose: a number alone means at most so much.
    """
    if found := _COMPARISON.fullmatch(text):
        low, high = read(found[2])
        return {
            ">": (math.nextafter(high, math.inf), math.inf),
            ">=": (low, math.inf),
            "<": (-math.inf, math.nextafter(low, -math.inf)),
            "<=": (-math.inf, high),
            "=": (low, high),
        }[found[1]]
    first, dots, last = text.partition("..")
    if years and not dots:
        first, dots, last = text.replace("–", "-").partition("-")
    if dots and (first or last):
        return read(first)[0] if first else -math.inf, read(last)[1] if last else math.inf
    low, high = read(text)
    return (-math.inf, high) if loose else (low, high)


def _count(text: str) -> tuple[float, float]:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(text)
    return float(text), float(text)


def _length(text: str) -> tuple[float, float]:
    """Seconds; a length written as 3:30 goes on to the next second."""
    if clock := _CLOCK.fullmatch(text):
        seconds = 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + int(clock[3])
        return seconds, math.nextafter(seconds + 1, 0.0)
    if _PIECES.fullmatch(text):
        pieces = re.findall(r"([\d.]+)(min|[hms])", text)
        return (seconds := sum(float(number) * _SECONDS[unit] for number, unit in pieces)), seconds
    return _count(text)


def _age(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"(\d{1,5})([hdwmy])", text)
    if found is None:
        raise ValueError(text)
    return (seconds := int(found[1]) * _AGES[found[2]]), seconds


def _date(text: str) -> tuple[float, float]:
    """First and last second (since 1970, by this machine's clock) of a year, month or day."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    last_month = month or 12
    last_day = day or monthrange(year, last_month)[1]
    first = datetime(year, month or 1, day or 1)  # noqa: DTZ001 - as the listener's calendar has it
    last = datetime(year, last_month, last_day, 23, 59, 59, 999_999)  # noqa: DTZ001 - as above
    return first.timestamp(), last.timestamp()


INDEXED = {
    "title": "title",
    "artist": "artist",
    "album": "album",
    "genre": "genre",
    "composer": "work",
    "work": "work",
}
"""Field → column of the search index."""
FEWEST_LETTERS = 4
"""Of a word in which a typing error is forgiven; one letter more or less makes most shorter words another one."""
LAST_LETTER = "\U0010ffff"
"""Behind all letters."""
MOST_MEANT = 50
"""Words of the library that one mistyped word may mean."""
NOTHING = ""
"""In place of an expression: what holds no words finds nothing."""


@dataclass(frozen=True)
class WordIndex:
    """The search index of the library's words, asked by plain SQL."""

    connection: "sqlite3.Connection"
    vocabulary: Callable[[], Sequence[str]]

    def narrowed(self, query: Query) -> tuple[list[int] | None, bool]:
        """The few tracks among which everything lies that a query finds, None where the index cannot tell; and if it finds all of them.

        A tag is held in comparison with the whole library, so a query that asks for one (or for a playlist, which may) needs all.
        """
        if any(isinstance(leaf, Words) and leaf.field in {"tag", "playlist"} for leaf in leaves(query)):
            return None, False
        parts = query.parts if isinstance(query, All) else (query,)
        if not (expression := self.together(parts)):
            return None, False
        rows = self.connection.execute("SELECT rowid FROM track_words WHERE track_words MATCH ?", (expression,))
        return [track for (track,) in rows], all(in_index(part) and words_of(part.text) for part in parts)

    def together(self, parts: Sequence[Query]) -> str:
        """An expression that finds all words among some conditions at once, in FTS5's language; empty where there are none."""
        return " AND ".join(self._expression(part) for part in parts if in_index(part) and words_of(part.text))

    def _expression(self, words: Words) -> str:
        """An expression for the words: as they are, else within words, else with one typing error."""
        column = f"{INDEXED[words.field]} : " if words.field else ""
        plain = f"({column}{phrase(words)})"
        written = words_of(words.text)
        if words.whole or len(written) > 1 or self._finds(plain):
            return plain
        meant = _meant(written[0], self.vocabulary())
        return f"({column}({' OR '.join(meant)}))" if meant else plain

    def _finds(self, expression: str) -> bool:
        found = "SELECT 1 FROM track_words WHERE track_words MATCH ? LIMIT 1"
        return self.connection.execute(found, (expression,)).fetchone() is not None


def narrowed(database: "Database", query: str) -> tuple[list[int] | None, bool]:
    """As :meth:`WordIndex.narrowed`, of a query as one writes it.

    Raises:
        QueryError: the query means nothing.
    """
    parsed = parse_query(query)
    with database.look_up() as connection:
        return WordIndex(connection, partial(vocabulary, connection)).narrowed(parsed)


def vocabulary(connection: "sqlite3.Connection") -> list[str]:
    """Every word of the library, sorted."""
    return [term for (term,) in connection.execute("SELECT term FROM track_vocabulary")]


def in_index(part: Query) -> TypeGuard[Words]:
    """True for words that the search index holds."""
    return isinstance(part, Words) and part.field in {"", *INDEXED}


def phrase(words: Words) -> str:
    """Words in FTS5's own language; they hold nothing but letters and digits."""
    written = words_of(words.text)
    return f'"{" ".join(written)}"{"" if words.whole else "*"}' if written else NOTHING


def _meant(word: str, vocabulary: Sequence[str]) -> list[str]:
    """What a word that begins none of the library's may mean, in FTS5's language: a part of words, or one typing error."""
    middle = (len(word) - 1) // 2
    ahead, behind = word[:middle], word[middle + 1 :]
    near = [term for term in vocabulary if behind in term]
    inside = [term for term in near if word in term]
    if inside or len(word) < FEWEST_LETTERS:
        return [f'"{term}"' for term in inside[:MOST_MEANT]]
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - most words are written right
    from rapidfuzz.process import extract  # noqa: PLC0415 - as above

    # One error leaves what is before or what is behind the middle letter as it was, and few words hold either.
    near += vocabulary[bisect_left(vocabulary, ahead) : bisect_left(vocabulary, ahead + LAST_LETTER)]
    found = extract(word, list(dict.fromkeys(near)), scorer=OSA.distance, score_cutoff=1, limit=MOST_MEANT)
    if found:
        return [f'"{term}"' for term, _, _ in found]
    cuts = (len(word) - 1, len(word), len(word) + 1)
    beginnings = sorted({term[:cut] for cut in cuts for term in near if len(term) > cut})
    found = extract(word, beginnings, scorer=OSA.distance, score_cutoff=1, limit=MOST_MEANT)
    return [f'"{beginning}"*' for beginning, _, _ in found]
