"""``player next``, ``similar``, ``feedback``, ``history`` and ``play``: the loop without a screen."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.options import DataDir, Home, Json, StationName, emit_json, emit_line, opened, say, track_document
from player.errors import PlayerError, UsageError
from player.storage.event_kinds import Kind, Origin

if TYPE_CHECKING:
    from player.feedback.events import LoggedEvent, NewEvent


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("next")(next_tracks)
    app.command()(similar)
    app.command()(feedback)
    app.command()(history)
    app.command()(play)
    app.command()(devices)


def next_tracks(
    station: StationName = None,
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many tracks.")] = 20,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Skip to the next track of the running player; with --station, only show what that station plays next, and why.

    What is shown stays the same until something happens.
    """
    if station is None:
        from player.remote.drive import drive

        drive(data_dir, "next", as_json=json)
        return
    from player.playback.headless import serve_next

    with opened(data_dir) as home:
        served = serve_next(home.database, home.paths, home.settings, station, count)
        for sentence in filter(None, (served.problem, *served.notes)):
            say(sentence)
        if json:
            emit_json(
                {
                    "model_version": served.model_version,
                    "items": [
                        {
                            **track_document(row.track),
                            "score": row.score,
                            "propensity": row.propensity,
                            "reason": row.reason,
                        }
                        for row in served.queue
                    ],
                    "diversity": {measure.key: measure.after_queue for measure in served.diversity},
                }
            )
            return
        for place, row in enumerate(served.queue, 1):
            print(f"{place:>3}  {row.track.artist} – {row.track.title}   ({row.reason})")
        if served.shortfall:
            say(served.shortfall)
        print("  ".join(f"{measure.name} {measure.after_queue:.2f}" for measure in served.diversity))
        if served.dial_effect:
            print(f"dial: {served.dial_effect}")


def similar(
    track_id: Annotated[int, typer.Argument(metavar="TRACK", help="The track, as `player tracks` numbers it.")],
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many tracks.")] = 20,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """List the tracks that sound most like a track."""
    from player.insight.neighbours import similar_tracks
    from player.stations.collection import load_collection

    with opened(data_dir) as home:
        found = similar_tracks(load_collection(home.database), track_id, count)
        if json:
            emit_json([{**track_document(item.track), "similarity": item.similarity} for item in found])
            return
        for item in found:
            print(f"{item.track.id:>6}  {item.similarity:.3f}  {item.track.artist} – {item.track.title}")


def feedback(
    event: Annotated[
        str | None,
        typer.Argument(help="up, down, clear, skip, finish, replay, not-now, never, less or undo.", show_default=False),
    ] = None,
    track_id: Annotated[int | None, typer.Argument(help="The track, as `player tracks` numbers it.")] = None,
    station: StationName = None,
    position: Annotated[float | None, typer.Option("--position", help="Seconds into the track.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="ISO8601", help="When it happened; now if absent.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="A thumb for all stations.")] = False,
    rest: Annotated[
        Literal["hour", "day", "month"] | None, typer.Option("--rest", help="How long a not-now rests the track.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="KEY", help="For less: the reason, as `player why` lists it.")
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE.jsonl", help='Events, one {"event","track_id","station","position","at"} a line.'
        ),
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Tell what you thought of a track. When the command returns, it is safely on disk.

    A thumb holds for one station, or --everywhere, and a thumb down takes the track off it; never bans the track
    everywhere; not-now rests it for an hour, a day or a month; less lets a reason count no more on a station; undo takes
    back the track's last event. A file given with --from is recorded whole or not at all.
    """
    from player.feedback.snooze import REST_NAMES
    from player.stations.feedback_import import Told

    if batch is None and (event is None or track_id is None):
        raise UsageError(
            "name an event and a track, as in `player feedback up 12 --station NAME`, or a file with --from."
        )
    if batch is not None and event is not None:
        raise UsageError("give either an event or --from FILE, not both.")
    with opened(data_dir) as home:
        if batch is not None:
            _record_batch(home, batch, json=json)
            return
        assert event is not None
        assert track_id is not None
        told = Told(event, track_id, station, position, at, everywhere, REST_NAMES[rest] if rest else None, reason)
        new = _resolver(home, [track_id])(told)
        if new.kind == Kind.LESS:
            _check_less(home, new)
        logged = _record(home, [new])[0]
        if json:
            emit_json(_event_document(logged, _station_name(home, logged.station_id)))
        else:
            print(f"Recorded {event} for track {track_id}.")


def _check_less(home: Home, new: "NewEvent") -> None:
    """Raise PlayerError unless the station has that reason to lose."""
    from player.feedback.event_history import load_history
    from player.stations.reason_keys import check_less, parse_reason
    from player.stations.stations import Stations

    station = next(info for info in Stations(home.database).all() if info.id == new.station_id)
    muted = load_history(home.database, ()).state.muted.get(station.id, ())
    check_less(parse_reason(new.note or ""), station.seeds, muted)


def _record_batch(home: Home, batch: Path, *, json: bool) -> None:
    from player.feedback.event_store import NothingToUndoError
    from player.stations.feedback_import import read_batch

    told = read_batch(batch)
    resolve = _resolver(home, {one.track_id for _, one in told})
    events: list[NewEvent] = []
    for line, one in told:
        try:
            events.append(resolve(one))
        except PlayerError as error:
            raise PlayerError(f"{batch}, line {line}: {error} Nothing was recorded.") from error
    try:
        recorded = _record(home, events)
    except NothingToUndoError as error:
        line = next(line for (line, _), event in zip(told, events, strict=True) if event is error.event)
        raise PlayerError(f"{batch}, line {line}: {error} Nothing was recorded.") from error
    if json:
        emit_json({"recorded": len(recorded), "ids": [event.id for event in recorded]})
    else:
        print(f"Recorded {len(recorded)} events.")


def _resolver(home: Home, tracks: Collection[int]):  # noqa: ANN202 - a closure over the names
    from player.library.tracks import find_tracks
    from player.stations.feedback_import import Told, to_event
    from player.stations.stations import Stations

    stations = Stations(home.database)
    ids = {info.name: info.id for info in stations.all()}
    durations = {track: row.duration for track, row in find_tracks(home.database, tracks).items()}

    def resolve(told: Told) -> "NewEvent":
        if told.station is not None and told.station not in ids:
            # Raises with the names that come close, or finds it by another case.
            found = stations.find(told.station)
            ids[told.station] = found.id
        return to_event(told, ids, durations)

    return resolve


def _record(home: Home, events: "list[NewEvent]") -> "list[LoggedEvent]":
    from player.feedback.event_store import EventStore

    return EventStore(home.database, Origin.CLI).append_all(events) if events else []


def _station_name(home: Home, station_id: int | None) -> str | None:
    from player.stations.stations import Stations

    return next((info.name for info in Stations(home.database).all() if info.id == station_id), None)


def _event_document(event: "LoggedEvent", station: str | None) -> dict[str, object]:
    return {
        "id": event.id,
        "time": iso(event.time_us),
        "event": event.kind,
        "track_id": event.track_id,
        "station": station,
        "position": event.position,
        "undoes": event.undoes_id,
    }


def iso(time_us: int) -> str:
    """Microseconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat()


def history(
    limit: Annotated[int | None, typer.Option("-n", min=1, help="Only the last N.")] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show the whole log: what happened, when, and what had been served. What counts no more is marked as forgotten."""
    from player.feedback.events import now_us
    from player.feedback.log_reader import read_event_lines
    from player.feedback.unlearned_times import load_spans

    with opened(data_dir) as home:
        lines, now = read_event_lines(home.database, limit), now_us()
        over = [span for span in load_spans(home.database) if not span.on(now)]
        forgotten = {line.event.id for line in lines if any(span.holds(line.event.time_us) for span in over)}
        if json:
            emit_json(
                [
                    {
                        **_event_document(line.event, line.station),
                        "forgotten": line.event.id in forgotten,
                        "origin": line.event.origin,
                        "action": line.event.action,
                        "value": line.event.value,
                        "note": line.event.note,
                        "model_version": line.model_version,
                        "rank": line.rank,
                        "score": line.score,
                        "propensity": line.propensity,
                    }
                    for line in lines
                ]
            )
            return
        for line in lines:
            event, where = line.event, f" on {line.station}" if line.station else ""
            position = "" if event.position is None else f" at {event.position:.0f} s"
            position += f" because of {event.note}" if event.note else ""
            position += "  (forgotten)" if event.id in forgotten else ""
            moment = datetime.fromtimestamp(event.seconds).astimezone()
            told = "?" if line.impossible else " "
            print(
                f"{event.id:>6}  {moment:%Y-%m-%d %H:%M:%S}{told} {event.kind:<8} {line.artist} – {line.title}{where}{position}"
            )
        if not lines:
            say("Nothing has happened yet.")


def play(
    music: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|QUERY]…", help="Files, folders, playlists (.m3u), or a search, played in this order."
        ),
    ] = None,
    station: Annotated[str | None, typer.Option("--station", help="Name of the station.", show_default=False)] = None,
    then: Annotated[
        str | None, typer.Option("--then", metavar="STATION", help="The station that goes on after the music named.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Without the screen: one JSON line per event.")] = False,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Stop after so long; with --headless.")
    ] = None,
    gapless: Annotated[
        bool | None, typer.Option("--gapless/--no-gapless", help="Join tracks without a gap.", show_default=False)
    ] = None,
    crossfade: Annotated[
        float | None, typer.Option("--crossfade", min=0, max=12, metavar="SECONDS", help="Overlap tracks for so long.")
    ] = None,
    replaygain: Annotated[
        Literal["track", "album", "auto", "off"] | None,
        typer.Option("--replaygain", help="Play all equally loud: by track, by album, by what is played, or not."),
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Play a station, or the music you name: files, folders, playlists, or what a search finds, in that order.

    With nothing named the running player goes on.

    Music that is not in the library is played all the same; it is logged, but joins no station. With --then STATION a
    station goes on afterwards. Options for the sound hold for this run; config.toml has them for good. Where a player
    runs already, that one plays the music, as it is set, and then goes on with its station.

    With --headless every line of the output is a JSON object: `start` (with `gain_db`, `limited` and `loudness_lufs`), `finish`,
    `skip`, `stop`, `output` (its `state`: lost, back or switched), `underrun`, `notice`.
    """
    if station is not None and (music or then):
        raise UsageError("name either a station with --station, or music, after which --then STATION goes on.")
    if station is None and not music:
        if headless or then:
            raise UsageError("name what to play: files, folders, a search, or --station NAME.")
        from player.remote.drive import drive

        drive(data_dir, "play", as_json=json)
        return
    sound = {"gapless": gapless, "crossfade": crossfade, "replaygain": replaygain}
    if not headless:
        from player.cli.screen import open_player

        open_player(None, data_dir, station=station or then, named=music or (), sound=sound)
        return
    with opened(data_dir) as home:
        _play_without_screen(home, music or (), station or then, seconds, sound)


def _play_without_screen(
    home: Home, music: Sequence[str], station: str | None, seconds: float | None, sound: Mapping[str, object]
) -> None:
    """Play here, or, where a player runs on the data folder already and music is named, there."""
    from player.cli.hand_over import hand_over_and_follow, named_opening
    from player.cli.screen import with_sound
    from player.playback.headless import play_headless
    from player.remote.address import AlreadyRunningError, only_player
    from player.remote.companions import companions

    with ExitStack() as alone:
        try:
            alone.enter_context(only_player(home.paths.data))
        except AlreadyRunningError:
            if not music:
                raise
            from player.remote.client import RemoteClient

            with RemoteClient(home.paths.data) as client:
                hand_over_and_follow(home, client, music, station, seconds, emit_line)
            return
        opening, failures = named_opening(home, music, station)
        for path, error in failures:
            emit_line({"event": "notice", "notice": f"{path}: {error}"})
        settings = with_sound(home.settings, sound)
        play_headless(home.database, home.paths, settings, opening, seconds, emit_line, companions)


def devices(json: Json = False) -> None:
    """List the devices that sound can come out of; `device` in [audio] of config.toml names one."""
    from player.audio.devices import output_devices

    found = output_devices()
    if json:
        emit_json([asdict(device) for device in found])
        return
    for device in found:
        print(f"{'*' if device.default else ' '} {device.name}  ({device.engine}, {device.rate:,} Hz)")
