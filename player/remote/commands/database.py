"""The library: searching, listing, browsing, pictures."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from player.library.cover_art import CoverArt, embedded_art, folder_art
from player.library.paths import text_to_path
from player.library.tracks import TrackRow
from player.remote.commands.queue import pin_tracks
from player.remote.commands.stations import station_pairs
from player.remote.context import MANY, Client, Remote, handles
from player.remote.filters import TAG_NAMES, parse_filter, tag_values
from player.remote.protocol import Ack, AckError, Answer, Binary, Pair, span, whole


def _found(remote: Remote, words: Sequence[str], *, exact: bool) -> list[TrackRow]:
    """The tracks that words of a search mean, sorted and cut as its end asks for."""
    rest, options = list(words), dict[str, str]()
    while len(rest) >= 3 and rest[-2] in {"sort", "window", "position"}:  # noqa: PLR2004 - a filter before the option
        options[rest[-2]] = rest[-1]
        del rest[-2:]
    test = parse_filter(rest, remote.library.uri, exact=exact)
    rows = [row for row in remote.player.catalogue() if test(row)]
    if sort := options.get("sort"):
        values = tag_values(sort.removeprefix("-"))
        # Numbers of tracks go by their size: 2 before 10.
        rows.sort(
            key=lambda row: [(len(value) * value.isdigit(), value) for value in values(row)], reverse=sort[0] == "-"
        )
    return [rows[place] for place in span(options["window"], len(rows))] if "window" in options else rows


def _songs(remote: Remote, client: Client, rows: Sequence[TrackRow]) -> list[Pair]:
    return [pair for row in rows for pair in remote.song(client, row)]


@handles("find", 1, MANY)
def find(remote: Remote, client: Client, *words: str) -> Answer:
    """Find tracks, letter by letter."""
    return _songs(remote, client, _found(remote, words, exact=True))


@handles("search", 1, MANY)
def search(remote: Remote, client: Client, *words: str) -> Answer:
    """Search tracks: parts of words, without regard to case and accents."""
    return _songs(remote, client, _found(remote, words, exact=False))


def _add(remote: Remote, words: Sequence[str], *, exact: bool) -> None:
    place = words[-1] if len(words) > 2 and words[-2] == "position" else ""  # noqa: PLR2004 - a filter before it
    pin_tracks(remote, [row.id for row in _found(remote, words, exact=exact)], place)


@handles("findadd", 1, MANY)
def findadd(remote: Remote, _client: Client, *words: str) -> Answer:
    """Pin what is found."""
    return _add(remote, words, exact=True)


@handles("searchadd", 1, MANY)
def searchadd(remote: Remote, _client: Client, *words: str) -> Answer:
    """Pin what a search finds."""
    return _add(remote, words, exact=False)


def _grouped(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words of a search, and the tags that it is grouped by."""
    rest, groups = list(words), list[str]()
    while len(rest) >= 2 and rest[-2] == "group":  # noqa: PLR2004 - the word and its tag
        groups.insert(0, rest[-1])
        del rest[-2:]
    return rest, groups


@handles("count", 1, MANY)
def count(remote: Remote, _client: Client, *words: str) -> Answer:
    """Count what would be found, and its length in seconds."""
    return _count(remote, words, exact=True)


@handles("searchcount", 1, MANY)
def searchcount(remote: Remote, _client: Client, *words: str) -> Answer:
    """Count what a search would find."""
    return _count(remote, words, exact=False)


def _count(remote: Remote, words: Sequence[str], *, exact: bool) -> list[Pair]:
    words, groups = _grouped(words)
    rows = _found(remote, words, exact=exact)
    if not groups:
        return [("songs", len(rows)), ("playtime", round(sum(row.duration for row in rows)))]
    songs, seconds, values = Counter[str](), defaultdict[str, float](float), tag_values(groups[0])
    for row in rows:
        for value in values(row):
            songs[value] += 1
            seconds[value] += row.duration
    name = TAG_NAMES[groups[0].casefold()]
    told = ((name, value, number) for value, number in sorted(songs.items()))
    return [
        pair
        for _, value, number in told
        for pair in ((name, value), ("songs", number), ("playtime", round(seconds[value])))
    ]


@handles("list", 1, MANY)
def list_tag(remote: Remote, _client: Client, tag: str, *words: str) -> Answer:
    """List the different values of a tag, of the tracks that are found, grouped by other tags."""
    if tag.casefold() == "file":
        return [("file", remote.library.uri(row)) for row in _found(remote, words, exact=True)]
    rest, groups = _grouped(words)
    if len(rest) == 1 and not rest[0].startswith("("):
        rest = ["artist", rest[0]]  # the oldest form: the albums of an artist
    readers = [tag_values(name) for name in (*groups, tag)]
    names = [TAG_NAMES[name.casefold()] for name in (*groups, tag)]
    found: set[tuple[str, ...]] = set()
    for row in _found(remote, rest, exact=True):
        combined: list[tuple[str, ...]] = [()]
        for reader in readers:
            combined = [(*before, value) for before in combined for value in reader(row)]
        found.update(combined)
    pairs: list[Pair] = []
    before: tuple[str, ...] = ()
    for values in sorted(found):
        # A group is told once, above all that belongs to it.
        first = next((place for place, value in enumerate(values) if before[place : place + 1] != (value,)), 0)
        pairs += zip(names[first:], values[first:], strict=True)
        before = values
    return pairs


@handles("lsinfo", 0, 1)
def lsinfo(remote: Remote, client: Client, folder: str = "") -> Answer:
    """List a folder; the topmost has the stations too."""
    pairs: list[Pair] = []
    for name, row in remote.library.listing(folder):
        pairs += [("directory", name)] if row is None else remote.song(client, row, name)
    return pairs if folder.strip("/") else [*pairs, *station_pairs(remote)]


@handles("listfiles", 0, 1)
def listfiles(remote: Remote, _client: Client, folder: str = "") -> Answer:
    """List a folder by its names alone."""
    listing = remote.library.listing(folder)
    return [("directory" if row is None else "file", name.rpartition("/")[2]) for name, row in listing]


@handles("listall", 0, 1)
def listall(remote: Remote, _client: Client, folder: str = "") -> Answer:
    """List all files of a folder and its folders."""
    return [("file", name) for name, _ in remote.library.below(folder)]


@handles("listallinfo", 0, 1)
def listallinfo(remote: Remote, client: Client, folder: str = "") -> Answer:
    """Tell of all of them."""
    return [pair for name, row in remote.library.below(folder) for pair in remote.song(client, row, name)]


@handles("readcomments", 1)
def readcomments(remote: Remote, client: Client, uri: str) -> Answer:
    """Tell a track's tags."""
    pairs = list(remote.song(client, remote.library.track(uri)))
    return [(key.upper(), value) for key, value in pairs if key in TAG_NAMES.values()]


@handles("update", 0, 1)
def update(remote: Remote, _client: Client, _folder: str = "") -> Answer:
    """Look for new, changed and vanished files, in all music folders."""
    remote.player.start_job("scan")
    remote.updates += 1
    return [("updating_db", remote.updates)]


@handles("rescan", 0, 1)
def rescan(remote: Remote, client: Client, folder: str = "") -> Answer:
    """Do the same; a file's tags are read again when it has changed."""
    return update(remote, client, folder)


@handles("albumart", 2)
def albumart(remote: Remote, client: Client, uri: str, offset: str) -> Answer:
    """Tell bytes of the picture that lies beside a track."""
    return _picture(client, folder_art(text_to_path(remote.library.track(uri).path)), offset)


@handles("readpicture", 2)
def readpicture(remote: Remote, client: Client, uri: str, offset: str) -> Answer:
    """Tell bytes of the picture that is within a track's file; there may be none."""
    art = embedded_art(text_to_path(remote.library.track(uri).path))
    return None if art is None else _picture(client, art, offset)


def _picture(client: Client, art: CoverArt | None, offset: str) -> Answer:
    if art is None:
        raise AckError(Ack.NO_EXIST, "there is no picture")
    start = whole(offset)
    if not 0 <= start <= len(art.content):
        raise AckError(Ack.ARG, f"the picture has {len(art.content)} bytes")
    pairs: tuple[Pair, ...] = (("size", len(art.content)), ("type", art.mime))
    return Binary(pairs, art.content[start : start + client.chunk])
