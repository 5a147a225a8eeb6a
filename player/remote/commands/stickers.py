"""Stickers: ``like`` (0, 1, 2) and ``rating`` (0 to 10) are the thumb that holds on the station that is on."""

from player.library.tracks import TrackRow
from player.remote.commands.playback import give_thumb
from player.remote.context import Client, Remote, handles
from player.remote.protocol import Ack, AckError, Answer, whole

LIKES = {-1: "0", 0: "1", 1: "2"}
RATINGS = {-1: "2", 1: "10"}
"""A thumb as a rating in half stars; none for no thumb."""
GOOD, POOR = 8, 4
"""Ratings from four stars on are a thumb up, down to two stars a thumb down, as when ratings are imported."""


def _held(remote: Remote, name: str) -> dict[int, str]:
    """Track id → value of a sticker, of the tracks that have it."""
    values = {"like": LIKES, "rating": RATINGS}.get(name)
    if values is None:
        raise AckError(Ack.NO_EXIST, f"no sticker “{name[:40]}”; there are like and rating")
    return {track: values[thumb] for track, thumb in remote.player.thumbs().items()}


def _value(remote: Remote, row: TrackRow, name: str) -> str:
    value = _held(remote, name).get(row.id, LIKES[0] if name == "like" else None)
    if value is None:
        raise AckError(Ack.NO_EXIST, "no such sticker")
    return value


@handles("sticker", 3, 6)
def sticker(remote: Remote, _client: Client, action: str, kind: str, uri: str, *rest: str) -> Answer:
    """Get, set, delete, list or find a thumb as a sticker."""
    if kind != "song":
        raise AckError(Ack.ARG, f"stickers are on songs, not on “{kind[:40]}”")
    match action, rest:
        case "get", (name,):
            return [("sticker", f"{name}={_value(remote, remote.library.track(uri), name)}")]
        case "set", (name, value):
            give_thumb(remote, remote.library.track(uri).id, _thumb(name, whole(value)))
        case "delete", () | (_,):
            give_thumb(remote, remote.library.track(uri).id, 0)
        case "list", ():
            row = remote.library.track(uri)
            return [
                ("sticker", f"{name}={_held(remote, name)[row.id]}")
                for name in ("like", "rating")
                if row.id in _held(remote, name)
            ]
        case "find", (name, *compared):
            return _find(remote, uri, name, compared)
        case _:
            raise AckError(Ack.ARG, "bad request")
    return None


def _thumb(name: str, value: int) -> int:
    if name == "like":
        if not 0 <= value <= 2:  # noqa: PLR2004 - the three of LIKES
            raise AckError(Ack.ARG, "like is 0 (down), 1 (none) or 2 (up)")
        return value - 1
    if name == "rating":
        if not 0 <= value <= 10:  # noqa: PLR2004 - half stars
            raise AckError(Ack.ARG, "rating is 0 (none) to 10")
        return 1 if value >= GOOD else -1 if 0 < value <= POOR else 0
    raise AckError(Ack.ARG, f"a sticker here is like or rating, not “{name[:40]}”")


def _find(remote: Remote, folder: str, name: str, compared: list[str]) -> Answer:
    held = _held(remote, name)
    tests = {"=": lambda a, b: a == b, "<": lambda a, b: a < b, ">": lambda a, b: a > b}
    if compared and (len(compared) != 2 or compared[0] not in tests):  # noqa: PLR2004 - an operator and a value
        raise AckError(Ack.ARG, "a comparison is =, < or > and a value")
    return [
        pair
        for uri, row in remote.library.below(folder)
        if row.id in held and (not compared or tests[compared[0]](int(held[row.id]), whole(compared[1])))
        for pair in (("file", uri), ("sticker", f"{name}={held[row.id]}"))
    ]
