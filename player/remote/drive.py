"""Driving the running player by one command, and saying what it does then; quick, for keys of a window manager call it.

The plainest commands are answered here without the command line's own parser, whose import takes longer than all the rest.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from player.errors import PlayerError
from player.folders import locate
from player.remote.client import RemoteClient
from player.text import printable

PLAIN: dict[str, tuple[str, ...]] = {
    "status": (),
    "play": ("play",),
    "pause": ("pause", "1"),
    "next": ("next",),
    "previous": ("previous",),
    "stop": ("stop",),
    "up": ("thumb", "up"),
    "down": ("thumb", "down"),
}
"""Commands without words of their own → what they say to the player."""


def connected(data_dir: Path | None) -> RemoteClient:
    """A connection to the running player.

    Raises:
        NoPlayerError: there is none.
    """
    return RemoteClient(locate(data_dir).data)


def drive(data_dir: Path | None, *asked: object, as_json: bool) -> None:
    """Give the running player a command, if any, and print what it does then.

    Raises:
        PlayerError: none is running, or it refused.
    """
    with connected(data_dir) as client:
        if asked:
            client.ask(*map(str, asked))
        state = client.state()
    sys.stdout.write(json.dumps(state, ensure_ascii=False) if as_json else "\n".join(state_lines(state)))
    sys.stdout.write("\n")


def answered_at_once(arguments: Sequence[str]) -> int | None:
    """Carry out one of the plain commands; the exit code, or None for what the whole command line is needed for."""
    options = list(arguments[1:])
    if not arguments or arguments[0] not in PLAIN:
        return None
    as_json = "--json" in options
    if as_json:
        options.remove("--json")
    folder = Path(options[1]) if len(options) == 2 and options[0] == "--data-dir" else None  # noqa: PLR2004 - name and value
    if options and folder is None:
        return None
    try:
        drive(folder, *PLAIN[arguments[0]], as_json=as_json)
        sys.stdout.flush()
    except PlayerError as error:
        sys.stderr.write(f"player: {printable(str(error), '?')}\n")
        return 1
    return 0


def state_lines(state: dict[str, Any]) -> list[str]:
    """What the player does, for a person."""
    track, station = state["track"], state["station"]
    head = "Nothing is playing." if track is None else f"{track['artist']} – {track['title']}"
    thumb = {1: "  thumbed up", -1: "  thumbed down"}.get(state["thumb"] or 0, "")
    place = "" if track is None else f"  {clock(state['position'])} / {clock(state['duration'])}"
    where = f"  station {station}" if station else ""
    lines = [f"{head}{thumb}", f"[{state['state']}]{place}{where}  volume {state['volume']} %"]
    return [printable(line) for line in lines]


def queue_lines(state: dict[str, Any]) -> list[str]:
    """What plays next, for a person."""
    rows = enumerate(state["queue"], 1)
    return [printable(f"{at:>3}  {row['artist']} – {row['title']}   ({row['reason']})") for at, row in rows]


def clock(seconds: float) -> str:
    """Seconds as m:ss, from an hour on h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
