"""The queue: what comes next can be looked at as a whole; what the listener pinned can be added to, moved and taken off."""

from collections.abc import Iterable, Sequence

from player.remote.context import MANY, Client, Remote, handles
from player.remote.filters import parse_filter
from player.remote.protocol import Ack, AckError, Answer, span, whole
from player.remote.queue_view import QueueEntry

NOT_PINNED = "the station chooses what is not pinned; thumb it down, or pin other tracks before it"


def _told(remote: Remote, client: Client, entries: Iterable[tuple[int, QueueEntry]]) -> Answer:
    return [pair for place, entry in entries for pair in remote.entry(client, place, entry)]


@handles("playlistinfo", 0, 1)
def playlistinfo(remote: Remote, client: Client, places: str = "") -> Answer:
    """Tell what plays and what comes next."""
    entries = remote.queue.entries
    wanted = range(len(entries)) if places in {"", "-1"} else span(places, len(entries))
    return _told(remote, client, ((place, entries[place]) for place in wanted))


@handles("playlistid", 0, 1)
def playlistid(remote: Remote, client: Client, entry: str = "") -> Answer:
    """Tell one entry, or all."""
    if not entry:
        return playlistinfo(remote, client)
    place = remote.queue.place(whole(entry))
    return _told(remote, client, [(place, remote.queue.entries[place])])


@handles("playlist")
def playlist(remote: Remote, _client: Client) -> Answer:
    """Tell the names of the files, as very old clients ask for them."""
    return [(f"{place}:file", remote.library.uri(entry.track)) for place, entry in enumerate(remote.queue.entries)]


@handles("plchanges", 1, 2)
def plchanges(remote: Remote, client: Client, version: str, places: str = "") -> Answer:
    """Tell the places that are other than in an earlier version."""
    wanted = span(places, len(remote.queue.entries)) if places else range(MANY)
    return _told(remote, client, (item for item in remote.queue.changes(whole(version)) if item[0] in wanted))


@handles("plchangesposid", 1, 2)
def plchangesposid(remote: Remote, _client: Client, version: str, _places: str = "") -> Answer:
    """Tell them by place and id alone."""
    changes = remote.queue.changes(whole(version))
    return [pair for place, entry in changes for pair in (("cpos", place), ("Id", entry.id))]


def _found(remote: Remote, client: Client, words: Sequence[str], *, exact: bool) -> Answer:
    test = parse_filter(words, remote.library.uri, exact=exact)
    return _told(remote, client, (item for item in enumerate(remote.queue.entries) if test(item[1].track)))


@handles("playlistfind", 1, MANY)
def playlistfind(remote: Remote, client: Client, *words: str) -> Answer:
    """Find in the queue, letter by letter."""
    return _found(remote, client, words, exact=True)


@handles("playlistsearch", 1, MANY)
def playlistsearch(remote: Remote, client: Client, *words: str) -> Answer:
    """Search in the queue."""
    return _found(remote, client, words, exact=False)


# --- pins --------------------------------------------------------------------------------------------------------------


def pin_tracks(remote: Remote, tracks: Sequence[int], place: str = "") -> None:
    """Pin tracks before a place of the queue: a number, or with a sign one counted from what plays; behind the pins without.

    Raises:
        PlayerError: none of them may be pinned.
    """
    pins = [pin for pin in remote.queue.pins if pin not in tracks]
    at = len(pins)
    if place:
        at = whole(place) - (0 if place.startswith(("+", "-")) else remote.queue.first_pin)
        at = min(max(at, 0), len(pins))
    remote.player.arrange_pins([*pins[:at], *tracks, *pins[at:]])
    remote.look()


@handles("add", 1, 2)
def add(remote: Remote, _client: Client, uri: str, place: str = "") -> Answer:
    """Pin a track, or all that a folder holds."""
    pin_tracks(remote, [row.id for _, row in _below(remote, uri)], place)
    return None


@handles("addid", 1, 2)
def addid(remote: Remote, _client: Client, uri: str, place: str = "") -> Answer:
    """Pin a track, and tell its id."""
    track = remote.library.track(uri)
    pin_tracks(remote, [track.id], place)
    pinned = (entry.id for entry in remote.queue.entries if entry.pinned and entry.track.id == track.id)
    return [("Id", next(pinned, track.id))]


def _below(remote: Remote, uri: str):  # noqa: ANN202 - as LibraryView has it
    return [("", remote.library.track(uri))] if uri.startswith("file:") else remote.library.below(uri)


@handles("delete", 1)
def delete(remote: Remote, _client: Client, places: str) -> Answer:
    """Take pins off; what plays is skipped."""
    entries = remote.queue.entries
    wanted = [entries[place] for place in span(places, len(entries))]
    skip = remote.queue.playing and bool(wanted) and wanted[0] is entries[0]
    gone = {entry.track.id for entry in wanted[int(skip) :] if entry.pinned}
    if len(gone) < len(wanted) - int(skip) and not gone and not skip:
        raise AckError(Ack.PERMISSION, NOT_PINNED)
    if gone:
        remote.player.arrange_pins([pin for pin in remote.queue.pins if pin not in gone])
    if skip:
        remote.player.next()
    return None


@handles("deleteid", 1)
def deleteid(remote: Remote, client: Client, entry: str) -> Answer:
    """Take one off."""
    return delete(remote, client, str(remote.queue.place(whole(entry))))


@handles("clear")
def clear(remote: Remote, _client: Client) -> Answer:
    """Take all pins off; the station goes on."""
    remote.player.arrange_pins([])
    return None


@handles("move", 2)
def move(remote: Remote, _client: Client, places: str, to: str) -> Answer:
    """Move rows among the pins; one that the station chose is pinned there."""
    entries = remote.queue.entries
    moved = [entries[place].track.id for place in span(places, len(entries))]
    if remote.queue.playing and entries and entries[0].track.id in moved:
        raise AckError(Ack.PERMISSION, "what plays stays where it is")
    pin_tracks(remote, moved, to)
    return None


@handles("moveid", 2)
def moveid(remote: Remote, client: Client, entry: str, to: str) -> Answer:
    """Move one row."""
    return move(remote, client, str(remote.queue.place(whole(entry))), to)


@handles("swap", 2)
def swap(remote: Remote, _client: Client, one: str, other: str) -> Answer:
    """Let two pins change places."""
    entries, pins = remote.queue.entries, remote.queue.pins
    try:
        first, second = (pins.index(entries[span(place, len(entries))[0]].track.id) for place in (one, other))
    except (ValueError, IndexError):
        raise AckError(Ack.PERMISSION, NOT_PINNED) from None
    pins[first], pins[second] = pins[second], pins[first]
    remote.player.arrange_pins(pins)
    return None


@handles("swapid", 2)
def swapid(remote: Remote, client: Client, one: str, other: str) -> Answer:
    """Let two pins change places, by their ids."""
    return swap(remote, client, *(str(remote.queue.place(whole(entry))) for entry in (one, other)))
