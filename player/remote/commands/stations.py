"""Stations as stored playlists: loading one turns to it."""

from datetime import UTC, datetime

from player.remote.context import Client, Remote, handles
from player.remote.protocol import Ack, AckError, Answer, Pair
from player.stations.snapshot import StationRow


def _station(remote: Remote, name: str) -> StationRow:
    for station in remote.player.stations():
        if station.name == name:
            return station
    raise AckError(Ack.NO_EXIST, f"there is no station “{name[:200]}”")


def station_pairs(remote: Remote) -> list[Pair]:
    """Every station; no client can do without a time of its last change, and a station changes with every thumb."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
    names = [station.name for station in remote.player.stations()]
    return [pair for name in names for pair in (("playlist", name), ("Last-Modified", now))]


@handles("listplaylists")
def listplaylists(remote: Remote, _client: Client) -> Answer:
    """List the stations."""
    return station_pairs(remote)


@handles("load", 1, 3)
def load(remote: Remote, _client: Client, name: str, *_places: str) -> Answer:
    """Turn to a station and play it."""
    remote.player.open_station(_station(remote, name).id)
    return None


@handles("rename", 2)
def rename(remote: Remote, _client: Client, name: str, new: str) -> Answer:
    """Give a station another name."""
    remote.player.rename_station(_station(remote, name).id, new)
    return None


@handles("rm", 1)
def rm(remote: Remote, _client: Client, name: str) -> Answer:
    """Delete a station; the undo of the screen brings it back."""
    remote.player.remove_station(_station(remote, name).id)
    return None


@handles("listplaylistinfo", 1, 2)
def listplaylistinfo(remote: Remote, client: Client, name: str, _places: str = "") -> Answer:
    """Tell what comes next on the station that is on; another one chooses when it is turned to."""
    station, on = _station(remote, name), remote.snapshot.station
    if on is None or on.id != station.id:
        return None
    return [pair for entry in remote.queue.entries for pair in remote.song(client, entry.track)]


@handles("listplaylist", 1, 2)
def listplaylist(remote: Remote, client: Client, name: str, places: str = "") -> Answer:
    """Tell the files of that."""
    pairs = listplaylistinfo(remote, client, name, places)
    return [pair for pair in pairs if pair[0] == "file"] if isinstance(pairs, list) else None
