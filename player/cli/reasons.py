"""``player why``, ``track show`` and ``undo``: why a track is where it is, what is known about it, and putting it right."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from player.cli.options import DataDir, Json, StationName, emit_json, opened
from player.storage.event_kinds import Kind, Origin
from player.tui.text import signed

if TYPE_CHECKING:
    from player.stations.track_views import StoryEvent, TrackStory, Why

track_app = typer.Typer(help="What is known about a track.", no_args_is_help=True)

TrackId = Annotated[int, typer.Argument(metavar="TRACK", help="The track, as `player tracks` numbers it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(why)
    track_app.command("show")(show)
    app.add_typer(track_app, name="track")
    app.command()(undo)


def why(
    track_id: TrackId,
    station: Annotated[str, typer.Option("--station", help="Name of the station.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show why a track stands where it stands on a station: every part of its score, and what each adds.

    Each part is counted above the average track that could have had the place; together they are what the track has over
    it. A key in brackets can be taken away with `player feedback less TRACK --station NAME --reason KEY`, and comes back
    with `player undo`.
    """
    from player.playback.track_queries import StoredTrackQueries

    with opened(data_dir) as home:
        said = StoredTrackQueries(home.database, home.paths, home.settings).why(station, track_id)
    if json:
        emit_json(_why_document(said))
    else:
        _print_why(said)


def _why_document(said: "Why") -> dict[str, Any]:
    document = asdict(said)
    document["track"] = _track_document(said.track.id, said.track.title, said.track.artist)
    return document


def _track_document(track_id: int, title: str, artist: str) -> dict[str, object]:
    return {"id": track_id, "title": title, "artist": artist}


def _print_why(said: "Why") -> None:
    print(f"{said.track.artist} – {said.track.title}, on {said.station}: {said.reason}")
    print(_place(said))
    for part in said.parts:
        key = "" if part.stays else f"  [{part.key}]"
        print(f"{part.lead:>+8.2f}  {part.name:<22} {part.words}; without it place {part.rank_without} by score{key}")
    print(f"{said.lead:>+8.2f}  above the average of {said.eligible} tracks")
    if said.labels:
        print("Your feedback, track by track:")
    for label in said.labels:
        print(
            f"{label.lead:>+8.2f}  “{label.title}” {label.verb}; without it place {label.rank_without}  [{label.key}]"
        )
    if said.other_labels:
        print(f"{said.other_lead:>+8.2f}  {said.other_labels} more")
    for seed in said.seeds:
        words = f" ({seed.shared})" if seed.shared else " (nearest)" if seed.nearest and len(said.seeds) > 1 else ""
        key = f"; without it place {seed.rank_without}  [{seed.key}]" if seed.key else ""
        print(f"    seed  {seed.words}{words}{key}")
    for muted in said.muted:
        print(f"    less  {muted.words} is ignored here  [{muted.key}]")


def _place(said: "Why") -> str:
    """Its place, and the way it came there."""
    if said.blocked:
        return f"Not to be played: {said.blocked}."
    where = "Not in the queue" if said.place is None else f"Place {said.place} of the queue"
    rank = f"{said.rank} of {said.eligible} by score"
    chance = "" if said.propensity is None else f", drawn with a chance of {said.propensity:.1%}"
    noise = f"; exploration had {said.given_up:.2f} to make up" if said.given_up > 0 else ""
    return f"{where}: {rank}{chance}{noise}."


def show(track_id: TrackId, station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show everything known about a track: files, plays, thumbs, every event, and what a station makes of it."""
    from player.playback.track_queries import StoredTrackQueries

    with opened(data_dir) as home:
        story = StoredTrackQueries(home.database, home.paths, home.settings).story(track_id, station)
    if json:
        emit_json(_story_document(story))
    else:
        _print_story(story)


def _story_document(story: "TrackStory") -> dict[str, Any]:
    document = asdict(story)
    document["added"] = _iso(document.pop("added_us") / 1_000_000)
    for name in ("last_played", "rests_until"):
        document[name] = None if document[name] is None else _iso(document[name])
    for event in document["events"]:
        event["time"] = _iso(event.pop("time_us") / 1_000_000)
    return document


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _print_story(story: "TrackStory") -> None:
    track = story.track
    print(f"{track.artist} – {track.title}  [{track.album}{f' ({track.year})' if track.year else ''}]  {track.genre}")
    print(f"{story.codec}, {story.sample_rate} Hz, {track.duration:.0f} s, in the library since {_day(story.added_us)}")
    for file in story.files:
        print(f"  {file.path}{'  (missing)' if file.missing else ''}")
    print(f"{story.embedding}{': ' + ', '.join(story.tags) if story.tags else ''}")
    print(f"{story.plays} times to the end, {story.skips} times skipped")
    for thumb in story.thumbs:
        print(f"thumbed {'up' if thumb.value > 0 else 'down'} {'on ' if thumb.station_id else ''}{thumb.station}")
    if story.never:
        print("banned: never played")
    if story.rests_until is not None:
        print(f"rests till {datetime.fromtimestamp(story.rests_until).astimezone():%Y-%m-%d %H:%M}")
    for muted in story.muted:
        print(f"on {muted.station}, {muted.words} is ignored")
    if story.parts:
        print(f"On {story.station}: {signed(story.score)}, of which")
    for part in story.parts:
        print(f"{signed(part.logits):>8}  {part.name}  ({signed(part.lead)} against the average)")
    for event in story.events:
        print(_event_line(event))


def _day(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us / 1_000_000).astimezone():%Y-%m-%d}"


def _event_line(event: "StoryEvent") -> str:
    moment = datetime.fromtimestamp(event.time_us / 1_000_000).astimezone()
    position = "" if event.position is None else f" at {event.position:.0f} s"
    heard = "" if event.heard is None else f", {event.heard:.0f} s of it heard"
    where = f" on {event.station}" if event.station else ""
    label = f"  {signed(event.label)}" if event.label is not None else ""
    gone = "" if event.stands or event.kind == Kind.UNDO else "  (taken back)"
    return f"{event.id:>6}  {moment:%Y-%m-%d %H:%M:%S}  {event.words}{position}{heard}{where}{label}{gone}"


def undo(
    event_id: Annotated[int, typer.Argument(metavar="EVENT", help="The event, as `player history` numbers it.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Take one event back, however long ago it was. Nothing is deleted: the log keeps both."""
    from player.feedback.correction import Correction
    from player.feedback.event_history import EventHistory
    from player.feedback.event_recorder import correcting
    from player.feedback.event_store import EventStore
    from player.feedback.log_reader import read_beside

    with opened(data_dir) as home:
        events = correcting(
            EventHistory(read_beside(home.database, event_id), {}), Correction("undo", 0, event_id=event_id)
        )
        (logged,) = EventStore(home.database, Origin.CLI).append_all(events)
    if json:
        emit_json({"id": logged.id, "event": logged.kind, "track_id": logged.track_id, "undoes": logged.undoes_id})
    else:
        print(f"Took event {event_id} back.")
