"""A small player in memory: it does what the controller does to a list of tracks, the same way every time."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from textual.worker import WorkerCancelled

from player.config import ScreenSettings
from player.errors import PlayerError
from player.insight.library_map import DOWN, UNTHUMBED, UP, Colouring, colour_by_genre
from player.insight.listening_summary import ListeningSummary
from player.insight.neighbours import SimilarTrack
from player.insight.terminal_map import MapView, PlacedTracks
from player.integrations.playlists import KeptPlaylist
from player.library.folder_offers import FolderOffer
from player.library.tracks import TrackRow
from player.playback.controller import Controller
from player.playback.track_queries import SettingLine
from player.stations.snapshot import JobView, Measure, NowPlaying, QueueRow, Snapshot, StationRow
from player.survey.view import Clip, Progress, SurveyView
from player.tui.app import PlayerApp

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from player.library.cover_art import CoverArt
    from player.library.lyrics import LyricsLine

ALBUMS = (
    ("Ivan Ilic", "Fugitive Visions - Piano Masterworks by Chopin and Liszt", "Classical", 2008,
     ("Chopin Prelude In E Major Opus 28", "Chopin Prelude In G Minor Opus 28", "Consolation No. 3")),
    ("Bezdin Ensemble", "Boccherini Fandango Box", "Classical", 2012,
     ("Fandango", "Sinfonia in La Maggiore", "La Ritirata Di Madrid")),
    ("坂本 龍一", "音楽図鑑", "Ambient", 1984, ("羽の林で", "森の人")),
    ("Beth Quist", "Shall We Dance", "World", None, ("Survival", "Grace", "Monsters")),
    ("[bold]Bracket[/bold] & Sons", "[link=https://example.com]Markup[/link]", "Rock", 1999,
     ("[red]x[/] [link=file:///]y[/link]", "Title with\x1b[31m an escape\x07 and \u202e direction")),
    ("American Bach Soloists", "JS Bach Cantatas VI - Favorite Cantatas", "Classical", 2004,
     ("Wachet auf ruft uns die Stimme (BWV 140) - Chorus", "Gleichwie der Regen und Schnee vom Himmel fällt")),
)  # fmt: skip
REASONS = (
    "sounds like Consolation No. 3",
    "you finished 4 of its artist",
    "new to you, near genre Classical",
    "not heard for 3 weeks",
)
MOVES = (("same", 0), ("up", 3), ("down", 2), ("new", 0), ("up", 12), ("down", 1))


def make_tracks() -> list[TrackRow]:
    rows = [
        (artist, album, genre, year, title)
        for artist, album, genre, year, titles in ALBUMS
        for title in titles
    ]  # fmt: skip
    return [
        TrackRow(number, f"/music/{number}.opus", title, artist, album, genre, year, 61.0 + 47 * number, number == 9)
        for number, (artist, album, genre, year, title) in enumerate(rows, start=1)
    ]


def make_measures(shift: float = 0.0) -> tuple[Measure, ...]:
    course = (0.61, 0.58, 0.6, 0.55, 0.52, 0.54, 0.5, 0.47)
    return (
        Measure("Gini index", 0.47 + shift, 0.41, course, False, ends=("few artists", "many artists")),
        Measure("artist entropy", 3.12, 3.3, tuple(2 + value for value in reversed(course)), True),
        Measure("distance", 0.64, 0.6, course, True, ends=("alike", "different")),
        Measure("coverage", 0.18, 0.18, tuple(reversed(course)), True, ends=("same corner", "all over")),
        Measure("never played", 0.55, 0.55, (0.55, 0.55, 0.55), True),
        Measure("repeats", 0.12, 0.08, course, False, ends=("repeats", "new tracks")),
    )


UNEMBEDDED = 5
"""A track that was not analysed yet: nothing is like it, and it has no place on the map."""


def make_places(tracks: Sequence[TrackRow]) -> np.ndarray:
    """A place for each track: artists on a circle, their tracks in a row."""
    artists = list(dict.fromkeys(track.artist for track in tracks))
    angles = np.array([2 * np.pi * artists.index(track.artist) / len(artists) for track in tracks])
    centres = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    offsets = np.array([(0.13 * (track.id % 3), 0.05 * (track.id % 2)) for track in tracks])
    return (0.8 * centres + offsets).astype(np.float32)


class MemorySurvey:
    """Does what a ``SurveySession`` does to a list of tracks; clips stand still at four seconds."""

    def __init__(self, tracks: Sequence[TrackRow], note: Callable[..., None]) -> None:
        self.tracks = list(tracks)
        self.listeners: list[Callable[[], None]] = []
        self.answers: list[str] = []
        self._note = note
        self._aim = 4
        self._view = SurveyView()

    def view(self) -> SurveyView:
        return self._view

    def subscribe(self, callback: Callable[[], None]) -> None:
        self.listeners.append(callback)

    def change(self, **changes: object) -> None:
        self._view = replace(self._view, **changes)
        for listener in self.listeners:
            listener()

    def start(self) -> None:
        self._note("survey")
        self._ask("")

    def answer(self, answer: str, track_id: int) -> None:
        self._note("answer", answer, track_id)
        if self._view.clip is not None and self._view.clip.track.id == track_id:
            self.answers.append(answer)
            self._ask("")

    def undo(self) -> None:
        self._note("undo_answer")
        self.answers.pop()
        self._ask("Took the last answer back.")

    def replay(self) -> None:
        self._note("again")

    def more(self) -> None:
        self._note("more")
        self._aim += 4
        self._ask("")

    def set_volume(self, volume: float) -> None:
        self._note("survey_volume", volume)
        self.change(volume=volume)

    def close(self) -> None:
        self._note("close_survey")

    def _ask(self, words: str) -> None:
        done = len(self.answers)
        clip = Clip(self.tracks[done], 12.0, 10.0) if done < self._aim else None
        progress = Progress(done, self.answers.count("like"), self.answers.count("dislike"), self._aim)
        self.change(
            clip=clip,
            heard=4.0 if clip else 0.0,
            sounding=clip is not None,
            progress=progress,
            marks=tuple(self.answers),
            words=words if clip else "That was the last of 4 clips: 2 liked, 1 disliked.",
            ended=clip is None,
            more=clip is None,
            output="stream on Built-in Audio",
        )


class MemoryPlayer:
    """Does what a ``Controller`` does to a list of tracks; remembers every call in ``calls``."""

    def __init__(self, tracks: Sequence[TrackRow] | None = None, *, station: bool = True) -> None:
        self.tracks = list(make_tracks() if tracks is None else tracks)
        self.calls: list[tuple[object, ...]] = []
        self.threads: dict[str, int] = {}
        self.listeners: list[Callable[[], None]] = []
        self.known = [
            StationRow(1, "Quiet piano", "artist Ivan Ilic, mellow", 12, 3),
            StationRow(2, "Everything", "the whole library", 0, 0),
            StationRow(3, "[b]Rock[/b]", "genre Rock", 1, 20),
        ]
        self.lists = [
            KeptPlaylist("Evening", None, ((3, "/m/3.opus"), (1, "/m/1.opus"), (None, "Gone.mp3"), (7, "/m/7.opus"))),
            KeptPlaylist("Only Bach", "bach"),
        ]
        self.refusal = ""
        self.pins: list[int] = []
        self.own: dict[str, str] = {}
        self.bands: Sequence[float] = ()
        self.theme = "player"
        self.sorted_by: dict[str, tuple[str, bool]] = {}
        self.covers: dict[int, CoverArt] = {}
        self.words: dict[int, tuple[LyricsLine, ...]] = {}
        self.new = False
        self.asked: MemorySurvey | None = None
        self.map = MapView()
        self.gate = threading.Event()
        self.gate.set()
        self._snapshot = Snapshot(
            revision=1,
            output="stream on Built-in Audio" if self.tracks else "",
            model_version="v3",
            volume=0.8,
            tracks=len(self.tracks),
            embedded=len(self.tracks),
        )
        if station and self.tracks:
            self._tune(self.known[0])

    # What the app sees

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def subscribe(self, callback: Callable[[], None]) -> None:
        self.listeners.append(callback)

    def change(self, **changes: object) -> None:
        self._snapshot = replace(self._snapshot, revision=self._snapshot.revision + 1, **changes)
        for listener in self.listeners:
            listener()

    def start(self) -> None:
        self._note("start")

    def close(self) -> None:
        self._note("close")

    def toggle_pause(self) -> None:
        self._note("toggle_pause")
        if self._snapshot.now is not None:
            self.change(now=replace(self._snapshot.now, playing=not self._snapshot.now.playing))

    def next(self) -> None:
        self._note("next")
        if self._snapshot.queue:
            self._play(self._snapshot.queue[0].track)

    def seek(self, seconds: float) -> None:
        self._note("seek", seconds)
        if self._snapshot.now is not None:
            self.change(now=replace(self._snapshot.now, position=max(seconds, 0.0)))

    def seek_by(self, seconds: float) -> None:
        self._note("seek_by", seconds)
        if self._snapshot.now is not None:
            position = self._snapshot.now.position + seconds
            self.change(now=replace(self._snapshot.now, position=max(position, 0.0)))

    def set_volume(self, volume: float) -> None:
        self._note("set_volume", volume)
        self.change(volume=volume)

    def thumb(self, value: int, track_id: int | None = None) -> None:
        self._note("thumb", value, *(() if track_id is None else (track_id,)))
        if track_id is not None:
            return
        if self._snapshot.now is not None and value > 0:
            thumb = 0 if self._snapshot.now.thumb > 0 else 1
            self.change(now=replace(self._snapshot.now, thumb=thumb), notice="Noted.")
        elif self._snapshot.queue:
            self._play(self._snapshot.queue[0].track)

    def not_now(self, track_id: int | None = None) -> None:
        self._note("not_now", track_id)

    def never(self, track_id: int | None = None) -> None:
        self._note("never", track_id)

    def play_track(self, track_id: int) -> None:
        self._note("play_track", track_id)
        self._play(next(track for track in self.tracks if track.id == track_id))

    def listening(self) -> ListeningSummary:
        return ListeningSummary(("You heard nothing here in the last seven days.",), {}, (0,) * 24, (), (), ())

    def settings_list(self) -> tuple[SettingLine, ...]:
        return (
            SettingLine("audio.engine", "auto", "How the sound is made.", True),
            SettingLine("screen.theme", "nord", "How the screen looks.", False),
        )

    def screen_settings(self) -> tuple[ScreenSettings, dict[str, str]]:
        return ScreenSettings(theme=self.theme), self.own

    def sorting(self) -> dict[str, tuple[str, bool]]:
        return self.sorted_by

    def keep_sorting(self, kept: dict[str, tuple[str, bool]]) -> None:
        self._note("keep_sorting", kept)

    def sound_bands(self) -> Sequence[float]:
        return self.bands

    def cover(self, track_id: int) -> CoverArt | None:
        return self.covers.get(track_id)

    def lyrics(self, track_id: int) -> tuple[LyricsLine, ...]:
        return self.words.get(track_id, ())

    def play_in_order(self, track_ids: Sequence[int]) -> None:
        self._note("play_in_order", tuple(track_ids))
        self._play(next(track for track in self.tracks if track.id == track_ids[0]))

    def offered_folders(self, text: str) -> list[FolderOffer]:
        return [
            FolderOffer(f"{text.rstrip('/')}/{name}", files, False) for name, files in (("Music", 240), ("Else", 0))
        ]

    def offered_files(self, text: str) -> list[FolderOffer]:
        return [FolderOffer(f"{text.rstrip('/')}/scrobbles.csv", 0, True)]

    def import_history(self, source: str, path: str) -> None:
        self._note("import_history", source, path)

    def record_history(self) -> None:
        self._note("record_history")

    def playlists(self) -> list[KeptPlaylist]:
        return list(self.lists)

    def remove_playlist(self, name: str) -> None:
        self._note("remove_playlist", name)
        self.lists = [one for one in self.lists if one.name != name]

    def play_station_of(self, seed: tuple[str, str]) -> None:
        self._note("play_station_of", seed)
        self._tune(StationRow(9, seed[1], f"{seed[0]} {seed[1]}", 0, 0))

    def rename_station(self, station_id: int, name: str) -> None:
        self._note("rename_station", station_id, name)
        self.known = [replace(row, name=name) if row.id == station_id else row for row in self.known]

    def remove_station(self, station_id: int) -> None:
        self._note("remove_station", station_id)
        self.known = [row for row in self.known if row.id != station_id]

    def stations(self) -> list[StationRow]:
        return list(self.known)

    def open_station(self, station_id: int) -> None:
        self._note("open_station", station_id)
        self._tune(next(row for row in self.known if row.id == station_id))

    def create_station(self, name: str, seeds: Sequence[tuple[str, str]], mode: str = "station") -> StationRow:
        self._note("create_station", name, tuple(seeds), mode)
        row = StationRow(len(self.known) + 1, name, ", ".join(f"{kind} {value}" for kind, value in seeds), 0, 0, mode)
        self.known.append(row)
        return row

    def station_seeds(self, station_id: int) -> list[tuple[str, str]]:
        return [("artist", "Ivan Ilic"), ("tag", "mellow"), ("not genre", "Rock")] if station_id == 1 else []

    def station_pool(self, seeds: Sequence[tuple[str, str]]) -> int:
        return len(self.tracks) - sum(kind.startswith("not ") for kind, _ in seeds)

    def change_station(self, station_id: int, name: str, seeds: Sequence[tuple[str, str]], mode: str) -> None:
        self._note("change_station", station_id, name, tuple(seeds), mode)

    def play_new_station(self, name: str, seeds: Sequence[tuple[str, str]], mode: str = "station") -> None:
        self.open_station(self.create_station(name, seeds, mode).id)

    def more_like(self, track_id: int | None = None) -> None:
        self._note("more_like", track_id)
        now = self._snapshot.now
        chosen = track_id if track_id is not None else now.track.id
        track = next(track for track in self.tracks if track.id == chosen)
        self._tune(StationRow(9, f"{track.title} · {track.artist}", f"“{track.title}”", 0, 0))

    def back(self) -> None:
        self._note("back")
        self._tune(self.known[0])

    def turn_dial(self, by: int) -> None:
        self._note("turn_dial", by)
        station = self._snapshot.station
        dial = min(max(station.dial + by, 0), 100)
        effect = "" if dial == 50 else f"{dial} % new to you, more artists"
        self.change(station=replace(station, dial=dial), dial_effect=effect)

    def set_mode(self, mode: str) -> None:
        self._note("set_mode", mode)
        self.change(station=replace(self._snapshot.station, mode=mode))

    def pin_next(self, track_id: int) -> None:
        self._note("pin_next", track_id)
        self._pin([track_id, *(pinned for pinned in self.pins if pinned != track_id)])

    def pin_last(self, track_id: int) -> None:
        self._note("pin_last", track_id)
        others = [pinned for pinned in self.pins if pinned != track_id]
        self._pin(others if track_id in self.pins else [*others, track_id])

    def move_pin(self, places: int, track_id: int) -> None:
        self._note("move_pin", track_id, places)
        others = [pinned for pinned in self.pins if pinned != track_id]
        place = max(self.pins.index(track_id) + places, 0)
        self._pin([*others[:place], track_id, *others[place:]])

    def catalogue(self) -> list[TrackRow]:
        return self.tracks

    def search(self, query: str) -> list[int]:
        if query.startswith("yeer:"):
            raise PlayerError("There is no field “yeer” (did you mean “year”?).")
        words = query.casefold().split()
        texts = (f"{track.title} {track.artist} {track.album} {track.genre}".casefold() for track in self.tracks)
        return [index for index, text in enumerate(texts) if all(word in text for word in words)]

    def seed_suggestions(self, text: str) -> list[tuple[str, str, int]]:
        known = [
            ("library", "", len(self.tracks)),
            ("genre", "Classical", 8),
            ("tag", "mellow", 5),
            ("artist", "Ivan Ilic", 3),
            ("artist", "[bold]Bracket[/bold] & Sons", 2),
            ("album", "Boccherini Fandango Box", 3),
        ]
        return [row for row in known if text.casefold() in f"{row[0]} {row[1]}".casefold()]

    def start_job(self, name: str) -> None:
        self._note("start_job", name)
        self.change(job=JobView(name, "reading history", 0, 100, None))

    def stop_job(self) -> None:
        self._note("stop_job")
        self.change(job=JobView("retrain", "stopped", 0, 0, None, finished=True, summary="Stopped; nothing changed."))

    def pause_job(self) -> None:
        self._note("pause_job")
        if self._snapshot.job is not None:
            self.change(job=replace(self._snapshot.job, paused=not self._snapshot.job.paused))

    def similar(self, track_id: int, count: int) -> list[SimilarTrack]:
        self._note("similar", track_id, count)
        if track_id == UNEMBEDDED:
            raise PlayerError("“Sinfonia in La Maggiore” was not analysed yet.")
        others = [track for track in self.tracks if track.id not in (track_id, UNEMBEDDED)]
        nearest = sorted(others, key=lambda track: abs(track.id - track_id))[:count]
        return [SimilarTrack(track, 1 - abs(track.id - track_id) / 20) for track in nearest]

    def make_map(self) -> None:
        self._note("make_map")

    def map_view(self) -> MapView:
        if self.map == MapView():
            self.place()
        return self.map

    def map_colours(self, tracks: Sequence[TrackRow], colour: str) -> Colouring:
        self._note("map_colours", colour)
        if colour == "genre":
            return colour_by_genre(list(tracks))
        if colour == "thumb":
            groups = tuple({1: UP, 2: DOWN}.get(track.id, UNTHUMBED) for track in tracks)
            return Colouring("thumbs on Quiet piano", groups, (UP, DOWN, UNTHUMBED), frozenset({UNTHUMBED}))
        return Colouring("score on Quiet piano", values=tuple(track.id / 10 - 0.5 for track in tracks))

    def place(self, share: float | None = None) -> None:
        """Make the map there is, of the tracks there are; ``share`` of a newer one is done."""
        placed = tuple(track for track in self.tracks if track.id != UNEMBEDDED)
        self.map = MapView(PlacedTracks(placed, make_places(placed), "t-SNE", 1), share)
        self.change()

    def survey_waits(self) -> bool:
        return self.new

    def survey(self) -> MemorySurvey:
        self.asked = MemorySurvey(self.tracks, self._note)
        return self.asked

    # How it does it

    def _pin(self, pins: list[int]) -> None:
        self.pins = pins
        rows = {row.track.id: replace(row, pinned=False) for row in self._snapshot.queue}
        pinned = [replace(rows[track], pinned=True, reason="pinned by you") for track in pins]
        self.change(queue=(*pinned, *(row for track, row in rows.items() if track not in pins)))

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_") or not hasattr(Controller, name):
            raise AttributeError(name)
        return lambda *arguments, **named: self._note(name, *arguments, *named.values())

    def _note(self, name: str, *arguments: object) -> None:
        self.gate.wait(60)
        self.calls.append((name, *arguments))
        self.threads[name] = threading.get_ident()
        if self.refusal and name not in ("start", "close"):
            raise PlayerError(self.refusal)

    def _tune(self, station: StationRow) -> None:
        self.change(station=station, diversity=make_measures())
        self._play(self.tracks[2])

    def _play(self, track: TrackRow) -> None:
        others = [other for other in self.tracks if other.id != track.id]
        start = track.id % len(others) if others else 0
        order = others[start:] + others[:start]
        queue = tuple(
            QueueRow(
                other, slot, 0.91 - slot / 40, 0.12 if slot % 5 else None, REASONS[slot % 4],
                MOVES[slot % 6][0], MOVES[slot % 6][1],
            )
            for slot, other in enumerate(order)
        )  # fmt: skip
        now = NowPlaying(track, 73.0, track.duration, True, 0, "sounds like Fandango, which you thumbed up")
        self.change(now=now, queue=queue, rerank_ms=11.6)

    def told(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of each call of that name."""
        return [call[1:] for call in self.calls if call[0] == name]


async def settle(pilot: Pilot[None]) -> None:
    """Wait until every command and search has been done and drawn."""
    for _ in range(2):  # a search may follow from a command
        with suppress(WorkerCancelled):  # a cover of another size, say, was wanted meanwhile
            await pilot.app.workers.wait_for_complete()
        await pilot._wait_for_screen()
    await pilot.pause()


def read(pilot: Pilot[None]) -> str:
    """The letters on the screen, line by line."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())


class Stage:
    """Runs the app over a player, presses keys, and reads the screen."""

    def __init__(self, pilot: Pilot[None], player: MemoryPlayer) -> None:
        self.pilot = pilot
        self.player = player
        self.app = pilot.app

    async def press(self, *keys: str) -> None:
        """Press keys; what a named key started (not a letter, as while typing) is done before the next."""
        for key in keys:
            await self.pilot.press(key)
            if len(key) > 1:
                await settle(self.pilot)
        await settle(self.pilot)

    async def settle(self) -> None:
        await settle(self.pilot)

    @property
    def text(self) -> str:
        return read(self.pilot)

    @property
    def screen(self) -> str:
        return type(self.app.screen).__name__


Running = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def running() -> Running:
    """``async with running(player, size=(80, 24), clock=…) as stage``."""

    @asynccontextmanager
    async def run(
        player: MemoryPlayer, size: tuple[int, int] = (80, 24), clock: Callable[[], float] = lambda: 100.0
    ) -> AsyncIterator[Stage]:
        app = PlayerApp(player, clock)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            yield Stage(pilot, player)

    return run


@pytest.fixture
def make_player() -> type[MemoryPlayer]:
    return MemoryPlayer


@pytest.fixture
def player() -> MemoryPlayer:
    return MemoryPlayer()


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures do not depend on the terminal that runs the tests; and Textual looks more often whether it is idle."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 1 / 200)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 1 / 2000)
    for name in ("NO_COLOR", "FORCE_COLOR", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
