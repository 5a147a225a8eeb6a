"""``player station`` and ``player queue``: stations, how they play, and what is pinned to their front."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import DataDir, Home, Json, StationName, emit_json, opened, say, track_document
from player.errors import PlayerError, UsageError

if TYPE_CHECKING:
    from player.stations.pins import Pins
    from player.stations.seeds import Seed, SignedSeed
    from player.stations.snapshot import StationRow
    from player.stations.stations import StationInfo

station_app = typer.Typer(help="Make and list stations, and say how they play.", no_args_is_help=True)
queue_app = typer.Typer()

MODE_LIST = "station, stay, vibe, artist, deep, shuffle, albums, rediscover or new"
NotSeeds = Annotated[
    list[str] | None,
    typer.Option("--not-seed", metavar="SEED", help="What it never plays, as artist:NAME; what sounds so comes less."),
]
More = Annotated[list[str] | None, typer.Option("--more", metavar="TAG", help="A tag to have more of, as mellow.")]
Less = Annotated[list[str] | None, typer.Option("--less", metavar="TAG", help="A tag to have less of.")]
Name = Annotated[str, typer.Argument(help="Name of the station.")]
Tracks = Annotated[list[int], typer.Argument(metavar="TRACK…", help="Tracks, as `player tracks` numbers them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    station_app.command("create")(create_station)
    station_app.command("list")(list_stations)
    station_app.command("tune")(tune_station)
    station_app.command("dial")(set_dial)
    station_app.command("mode")(set_mode)
    station_app.command("export")(export_station)
    station_app.command("rename")(rename_station)
    station_app.command("delete")(delete_station)
    app.add_typer(station_app, name="station")
    queue_app.command("list")(list_pins)
    queue_app.command("add")(add_pins)
    queue_app.command("remove")(remove_pins)
    queue_app.command("clear")(clear_pins)
    queue_app.callback(invoke_without_command=True)(show_queue)
    app.add_typer(queue_app, name="queue")


def create_station(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    seeds: Annotated[
        list[str],
        typer.Option(
            "--seed",
            help="track:ID, artist:NAME, album:NAME, genre:NAME, tag:NAME, query:SEARCH or library; repeat to mix.",
        ),
    ],
    not_seeds: NotSeeds = None,
    more: More = None,
    less: Less = None,
    mode: Annotated[str, typer.Option("--mode", help=f"{MODE_LIST}.")] = "station",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a station from seeds; it plays on for ever, near its seeds and where your thumbs lead.

    One that is made of searches alone, as in --seed "query:genre:jazz year:1990-1999", plays what they find, and follows the
    library as it changes.
    """
    from player.library.sound_tags import known_tag_names
    from player.stations.collection import load_rows
    from player.stations.modes import check_mode
    from player.stations.seeds import describe_seeds, parse_seed
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        rows = load_rows(home.database)
        parsed, leanings = [parse_seed(seed) for seed in seeds], _leanings(not_seeds, more, less)
        station = Stations(home.database).create(
            name, parsed, rows, known_tag_names(home.database), check_mode(mode), leanings
        )
        if json:
            emit_json(
                {
                    "id": station.id,
                    "name": station.name,
                    "seeds": [str(seed) for seed in station.seeds],
                    "leanings": [str(leaning) for leaning in station.leanings],
                    "mode": station.mode,
                }
            )
        else:
            print(f"Station “{station.name}” from {describe_seeds([*station.seeds, *station.leanings], rows)}.")


def _leanings(not_seeds: list[str] | None, more: list[str] | None, less: list[str] | None) -> "list[SignedSeed]":
    from player.stations.seeds import Seed, SignedSeed, parse_seed

    return [
        *(SignedSeed("not", parse_seed(seed)) for seed in not_seeds or ()),
        *(SignedSeed("more", Seed("tag", tag)) for tag in more or ()),
        *(SignedSeed("less", Seed("tag", tag)) for tag in less or ()),
    ]


def tune_station(
    name: Name,
    not_seeds: NotSeeds = None,
    more: More = None,
    less: Less = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget what it leaned to before.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Say what a station is not to play, and which tags it is to have more or less of; without options, show it."""
    from player.library.sound_tags import known_tag_names
    from player.stations.collection import load_rows
    from player.stations.seeds import describe_seeds
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        stations, rows = Stations(home.database), load_rows(home.database)
        station = stations.find(name)
        added = _leanings(not_seeds, more, less)
        if added or clear:
            # The last word about a seed counts: "more mellow" takes the place of "less mellow".
            kept = {leaning.seed: leaning for leaning in [*(() if clear else station.leanings), *added]}
            changed = [*station.seeds, *kept.values()]
            stations.change(station.id, station.name, changed, rows, known_tag_names(home.database), station.mode)
            station = stations.find(name)
        if json:
            emit_json({"station": station.name, "leanings": [str(leaning) for leaning in station.leanings]})
        else:
            print(f"“{station.name}”: {describe_seeds([*station.seeds, *station.leanings], rows)}.")


def list_stations(data_dir: DataDir = None, json: Json = False) -> None:
    """List the stations."""
    from player.stations.snapshot import NEUTRAL_DIAL
    from player.stations.station_list import list_stations as listed

    with opened(data_dir) as home:
        stations = listed(home.database)
        if json:
            emit_json([_document(station, seeds) for station, seeds in stations])
            return
        for station, _ in stations:
            thumbs = f"▲{station.thumbs_up} ▼{station.thumbs_down}"
            plays = "" if station.mode == "station" else f"  {station.mode}"
            dial = "" if station.dial == NEUTRAL_DIAL else f"  dial {station.dial}"
            print(f"{station.name}  ({station.seeds})  {thumbs}{plays}{dial}")
        if not stations:
            say("There are no stations yet; make one with `player station create NAME --seed library`.")


def _document(station: "StationRow", kept: "tuple[Seed | SignedSeed, ...]") -> dict[str, object]:
    from player.stations.seeds import apart

    seeds, leanings = apart(kept)
    return {
        "id": station.id,
        "name": station.name,
        "seeds": [str(seed) for seed in seeds],
        "leanings": [str(leaning) for leaning in leanings],
        "mode": station.mode,
        "dial": station.dial,
        "thumbs_up": station.thumbs_up,
        "thumbs_down": station.thumbs_down,
    }


def rename_station(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW-NAME", help="What to call it from now on.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Give a station another name; all that was told on it stays with it."""
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        stations = Stations(home.database)
        station = stations.find(name)
        kept = stations.rename(station.id, new)
        if json:
            emit_json({"id": station.id, "name": kept})
        else:
            print(f"“{station.name}” is called “{kept}” now.")


def delete_station(name: Name, data_dir: DataDir = None, json: Json = False) -> None:
    """Delete a station. What was heard and told on it stays in the log and goes on teaching your other stations."""
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        stations = Stations(home.database)
        station = stations.find(name)
        stations.remove(station.id)
        if json:
            emit_json({"id": station.id, "name": station.name, "deleted": True})
        else:
            print(f"Deleted the station “{station.name}”.")


def set_dial(
    name: Name,
    dial: Annotated[
        int | None, typer.Argument(min=0, max=100, help="From 0, familiar, to 100, discover; 50 is as it was made.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Turn a station's dial between what you know and what you do not; without a number, show it and what it does."""
    from player.playback.headless import what_the_dial_does
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        stations = Stations(home.database)
        station = stations.find(name)
        if dial is not None:
            stations.turn_dial(station.id, dial)
        effect, pool = what_the_dial_does(home.database, home.paths, home.settings, name)
        shown = station.dial if dial is None else dial
        if json:
            emit_json({"station": station.name, "dial": shown, "effect": effect, "pool": pool})
            return
        print(f"“{station.name}” is at {shown}, choosing from {pool:,} tracks{': ' + effect if effect else ''}.")


def set_mode(
    name: Name,
    mode: Annotated[str, typer.Argument(help=f"{MODE_LIST}.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Choose how a station plays.

    station: on and on, near what it is based on. stay: only what is closest to that. vibe: follows what you let play to the
    end. artist: only its artists. deep: what you seldom played of them. shuffle: all that it is based on in random order;
    nothing comes again before four fifths of it were heard, and an artist not within two places while others are left,
    also after a restart. albums: whole albums. rediscover: loved and long unheard. new: added last.
    """
    from player.stations.modes import MODE_WORDS, check_mode
    from player.stations.stations import Stations

    mode = check_mode(mode)
    with opened(data_dir) as home:
        stations = Stations(home.database)
        station = stations.find(name)
        stations.set_mode(station.id, mode)
        if json:
            emit_json({"station": station.name, "mode": mode})
        else:
            print(f"“{station.name}” from now on: {MODE_WORDS[mode]}.")


def show_queue(context: typer.Context, data_dir: DataDir = None, json: Json = False) -> None:
    """Show what the running player plays next; its commands put tracks at the front of a station's queue."""
    if context.invoked_subcommand is not None:
        return
    from player.remote.drive import connected, queue_lines

    with connected(data_dir) as client:
        state = client.state()
    if json:
        emit_json(state["queue"])
    else:
        print("\n".join(queue_lines(state)))


def export_station(
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output if absent.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many tracks.")] = 50,
    kind: Annotated[str, typer.Option("--format", help="m3u, m3u8, pls, xspf or jspf.")] = "m3u",
    played_since: Annotated[
        str | None,
        typer.Option("--played-since", metavar="7d", help="What it played since then instead.", show_default=False),
    ] = None,
    relative: Annotated[bool, typer.Option("--relative", help="Paths relative to the file's folder.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Write what a station plays next, or what it played of late, as a playlist for another player. Nothing is logged."""
    from player.cli.library_care import moment_of, write_playlist
    from player.feedback.log_reader import read_events
    from player.integrations.playlist_files import FORMATS, written_playlist
    from player.playback.headless import upcoming
    from player.stations.collection import load_rows
    from player.stations.stations import Stations
    from player.storage.event_kinds import Kind

    if kind not in FORMATS:
        raise UsageError(f"there is no format “{kind}”; there are {', '.join(FORMATS)}.")
    with opened(data_dir) as home:
        station = Stations(home.database).find(name)
        if played_since is None:
            rows = upcoming(home.database, home.paths, home.settings, name, count)
        else:
            since, known = moment_of(played_since), {row.id: row for row in load_rows(home.database)}
            heard = [
                event.track_id
                for event in read_events(home.database)
                if event.station_id == station.id and event.time_us >= since and event.kind in {Kind.FINISH, Kind.SKIP}
            ]
            rows = [known[track] for track in dict.fromkeys(heard) if track in known and not known[track].missing]
        if file is None:
            sys.stdout.buffer.write(written_playlist(kind, station.name, rows, None))
        else:
            write_playlist(rows, station.name, file, relative=relative, kind=kind)
            say(f"{len(rows)} tracks written to {file}.")


def list_pins(station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List what is pinned to a station's queue, or to the queue that plays without one."""
    with opened(data_dir) as home:
        found = _station(home, station)
        _show_pins(home, found, _pins(home, found), json=json)


def add_pins(tracks: Tracks, station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Pin tracks behind those that are pinned already; a player that is running takes them up within a second."""
    import time

    from player.feedback.events import state_of
    from player.feedback.log_reader import read_events
    from player.library.tracks import find_tracks
    from player.stations.pins import save_pins, why_not

    with opened(data_dir) as home:
        found, rows = _station(home, station), find_tracks(home.database, tracks)
        number = None if found is None else found.id
        state = state_of(read_events(home.database, tracks=tracks))
        for track in tracks:
            if track not in rows:
                raise PlayerError(f"There is no track {track}; `player tracks` lists them. Nothing was pinned.")
            if rows[track].missing:
                raise PlayerError(f"The file of “{rows[track].title}” is missing. Nothing was pinned.")
            if reason := why_not(state, number, track, time.time()):
                raise PlayerError(f"“{rows[track].title}” cannot be pinned: {reason}. Nothing was pinned.")
        pins = _pins(home, found).put_last(tracks)
        save_pins(home.database, number, pins)
        _show_pins(home, found, pins, json=json)


def remove_pins(tracks: Tracks, station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Take pins off."""
    from player.stations.pins import save_pins

    with opened(data_dir) as home:
        found = _station(home, station)
        pins = _pins(home, found)
        for track in tracks:
            if track not in pins:
                raise PlayerError(f"Track {track} is not pinned there; `player queue list` shows what is.")
            pins = pins.without(track)
        save_pins(home.database, None if found is None else found.id, pins)
        _show_pins(home, found, pins, json=json)


def clear_pins(station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Take all pins off."""
    from player.stations.pins import NO_PINS, save_pins

    with opened(data_dir) as home:
        found = _station(home, station)
        save_pins(home.database, None if found is None else found.id, NO_PINS)
        _show_pins(home, found, NO_PINS, json=json)


def _station(home: Home, name: str | None) -> "StationInfo | None":
    if name is None:
        return None
    from player.stations.stations import Stations

    return Stations(home.database).find(name)


def _pins(home: Home, station: "StationInfo | None") -> "Pins":
    from player.stations.pins import load_pins

    return load_pins(home.database, None if station is None else station.id)


def _show_pins(home: Home, station: "StationInfo | None", pins: "Pins", *, json: bool) -> None:
    from player.library.tracks import find_tracks

    rows = find_tracks(home.database, pins.tracks)
    known = [rows[track] for track in pins.tracks if track in rows]
    if json:
        name = None if station is None else station.name
        emit_json({"station": name, "pinned": [track_document(row) for row in known]})
        return
    for place, row in enumerate(known, 1):
        print(f"{place:>3}  {row.id:>6}  {row.artist} – {row.title}")
    if not known:
        say("Nothing is pinned; `player queue add TRACK… --station NAME` pins tracks.")
