"""``player survey``: clips to like or dislike, on the screen or one by one for scripts."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.options import DataDir, Home, Json, emit_json, opened, say
from player.cli.signals import Leaving
from player.errors import PlayerError, UsageError
from player.library.paths import file_of
from player.survey.view import COUNT, SECONDS

if TYPE_CHECKING:
    from player.survey.view import Answer, Clip, Progress


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(survey)


def survey(
    count: Annotated[int, typer.Option("--count", min=1, max=100_000, help="Clips to ask about.")] = COUNT,
    seconds: Annotated[float, typer.Option("--seconds", min=1.0, max=120.0, help="Length of a clip.")] = SECONDS,
    show_next: Annotated[bool, typer.Option("--next", help="Print the next clip instead of playing it.")] = False,
    answer: Annotated[
        Literal["like", "dislike", "skip"] | None,
        typer.Option("--answer", help="Record an answer to the clip of --track.", show_default=False),
    ] = None,
    track: Annotated[
        int | None, typer.Option("--track", metavar="ID", help="The track answered about.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Say of short clips whether you like them, so that stations know your taste from the start.

    Ten seconds each, from all over the library, in random order: l likes, d dislikes, s skips, space plays the clip again,
    q stops. Answers count on every station. What was answered is kept, and the next survey goes on there.

    Scripts ask with --next (what would be played) and tell with --answer.
    """
    if (answer is None) != (track is None):
        raise UsageError("--answer and --track go together, as in `player survey --answer like --track 12`.")
    if answer is not None and show_next:
        raise UsageError("give either --next or --answer; first the one, then the other.")
    if json and answer is None and not show_next:
        raise UsageError("--json goes with --next or --answer.")
    if answer is not None and track is not None:
        _record(data_dir, answer, track, count, json=json)
    elif show_next:
        _show_next(data_dir, count, seconds, json=json)
    else:
        _open(data_dir, count, seconds)


def _show_next(data_dir: Path | None, count: int, seconds: float, *, json: bool) -> None:
    from player.survey.session import load_plan, next_clip
    from player.survey.survey import Survey

    with opened(data_dir) as home:
        asked = Survey(home.database, load_plan(home.database, seconds), count)
        clip, words = next_clip(asked)
        if words:
            say(words)
        if json:
            emit_json(_clip_document(clip, asked.progress))
        elif clip is not None:
            place = f"{asked.progress.answered + 1} of {asked.progress.of}"
            print(f"{clip.track.id}  {clip.track.artist} – {clip.track.title}   ({place}, from {clip.start:.0f} s)")


def _clip_document(clip: "Clip | None", progress: "Progress") -> dict[str, object]:
    """The clip to play; all null but the count when nothing is left."""
    track = None if clip is None else clip.track
    return {
        "track_id": None if track is None else track.id,
        "path": None if track is None else file_of(track.path),
        "title": None if track is None else track.title,
        "artist": None if track is None else track.artist,
        "start": None if clip is None else clip.start,
        "seconds": None if clip is None else clip.seconds,
        "index": progress.answered + (clip is not None),
        "of": progress.of,
    }


def _record(data_dir: Path | None, answer: "Answer", track: int, count: int, *, json: bool) -> None:
    from player.stations.collection import load_rows
    from player.survey.survey import Survey, SurveyPlan

    with opened(data_dir) as home:
        rows = load_rows(home.database)
        if all(row.id != track for row in rows):
            raise PlayerError(f"There is no track {track}; `player tracks` lists them.")
        playable = [row for row in rows if not row.missing]
        # Groups say what to ask about next, and nothing is asked here.
        asked = Survey(home.database, SurveyPlan(playable, [""] * len(playable)), count)
        event = asked.answer(answer, track)
        progress = asked.progress
        if json:
            emit_json(
                {
                    "id": event.id,
                    "track_id": track,
                    "answer": answer,
                    "answered": progress.answered,
                    "liked": progress.liked,
                    "disliked": progress.disliked,
                    "of": progress.of,
                }
            )
        else:
            print(f"Recorded {answer} for track {track}: {progress.words()}.")


def _open(data_dir: Path | None, count: int, seconds: float) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PlayerError("The survey needs a terminal; scripts use `player survey --next --json` and --answer.")
    from player.audio.client import AudioClient
    from player.playback.headless import EMPTY_LIBRARY
    from player.stations.resume import load_resume_point
    from player.survey.session import SurveySession, load_plan
    from player.tui.screens.survey import SurveyApp

    with opened(data_dir) as home:
        plan = load_plan(home.database, seconds)
        if not plan.playable:
            raise PlayerError(EMPTY_LIBRARY)
        audio = home.settings.audio
        session = SurveySession(
            home.database,
            lambda: plan,
            lambda heard: AudioClient(heard, engine=audio.engine, device=audio.device),
            count=count,
            volume=load_resume_point(home.database).volume,
            closed=lambda volume: _keep_volume(home, volume),
        )
        leaving = Leaving(session.close)
        app = SurveyApp(session)
        leaving.ask_screen(partial(app.call_later, app.exit))
        try:
            with leaving.watching():
                app.run()
        finally:
            session.close()
        words = session.view().progress
        if words.answered:
            print(f"Survey: {words.words()}.")


def _keep_volume(home: Home, volume: float) -> None:
    from dataclasses import replace

    from player.stations.resume import load_resume_point, save_resume_point

    point = load_resume_point(home.database)
    if point.volume != volume:
        save_resume_point(home.database, replace(point, volume=volume))
