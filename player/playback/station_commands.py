"""Stations: turning to one, growing one from a track, the way back, the dial, and how a station plays."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from player.playback.commands import Commands, command
from player.stations.modes import MODE_WORDS, check_mode
from player.stations.queue_builder import open_rows
from player.stations.seeds import Seed, apart, signed, written
from player.stations.snapshot import StationRow
from player.stations.stations import StationInfo
from player.text import printable
from recommender.ranking.dial import NEUTRAL

SEED_REASON = "this station is based on it"


class StationCommands(Commands):
    """Turning to stations, making them, and changing how they play."""

    def stations(self) -> list[StationRow]:
        """Every station."""
        session = self._session
        with session.lock:
            return [session.station_row(station) for station in session.stations.all()]

    @command
    def open_station(self, station_id: int) -> None:
        """Turn to a station and play it."""
        station = self._loop.find_station(station_id)
        if station is None:
            self._session.show(notice="This station is gone.")
        else:
            self._loop.turn_to(station)

    @command
    def create_station(self, name: str, seeds: Sequence[tuple[str, str]], mode: str = "station") -> StationRow:
        """Make a station from (kind, value) seeds, without turning to it.

        Raises:
            PlayerError: the name is taken, a seed names nothing, or there is no such mode.
        """
        session = self._session
        collection = session.known.collection
        wanted, leanings = apart(signed(*seed) for seed in seeds)
        made = session.stations.create(name, wanted, collection.rows, collection.tag_names, check_mode(mode), leanings)
        return session.station_row(made)

    def station_seeds(self, station_id: int) -> list[tuple[str, str]]:
        """(kind, value) of what a station is based on, and of what it leans to, with its sign before the kind."""
        station = self._loop.find_station(station_id)
        return [] if station is None else list(map(written, (*station.seeds, *station.leanings)))

    def station_pool(self, seeds: Sequence[tuple[str, str]]) -> int:
        """How many tracks a station of such seeds chooses from, apart from what rests or was heard of late."""
        wanted, leanings = apart(signed(*seed) for seed in seeds)
        session, collection = self._session, self._session.known.collection
        with session.lock:
            station = StationInfo(0, "", 0, wanted, leanings=leanings)
            rows = open_rows(station, collection, session.history.state.heard)
        return int(np.count_nonzero(collection.playable if rows is None else collection.playable & rows))

    @command
    def change_station(self, station_id: int, name: str, seeds: Sequence[tuple[str, str]], mode: str) -> None:
        """Give a station another name, other seeds or another mode; "undo" takes that back. The music plays on.

        Raises:
            PlayerError: the name is taken, a seed names nothing, or there is no such mode.
        """
        session, before = self._session, self._loop.find_station(station_id)
        if before is None:
            session.show(notice="This station is gone.")
            return
        kept = list(map(written, (*before.seeds, *before.leanings)))
        self._change(station_id, name, seeds, mode)
        session.take_back = lambda: self._change(station_id, before.name, kept, before.mode)
        session.show(notice=f"“{name}” is kept; z takes the change back.")

    def _change(self, station_id: int, name: str, seeds: Sequence[tuple[str, str]], mode: str) -> str:
        session, collection = self._session, self._session.known.collection
        wanted = [signed(*seed) for seed in seeds]
        kept = session.stations.change(
            station_id, name, wanted, collection.rows, collection.tag_names, check_mode(mode)
        )
        if self._loop.look_again():
            self._loop.rerank()
        return f"The station “{kept}” is as it was."

    @command
    def play_new_station(self, name: str, seeds: Sequence[tuple[str, str]], mode: str = "station") -> None:
        """Make a station from (kind, value) seeds and play it.

        Raises:
            PlayerError: the name is taken, a seed names nothing, or there is no such mode.
        """
        self.open_station(self.create_station(name, seeds, mode).id)

    @command
    def play_station_of(self, seed: tuple[str, str]) -> None:
        """Play the station that is based on one thing alone, an artist or an album say: made now, or before.

        Raises:
            PlayerError: nothing in the library goes by it.
        """
        session = self._session
        found = session.stations.with_seeds([Seed(*seed)])
        if found is not None:
            self.open_station(found.id)
        else:
            words = " ".join(printable(seed[1] or "Everything").split())
            self.play_new_station(session.stations.free_name(words), [seed])

    @command
    def rename_station(self, station_id: int, name: str) -> None:
        """Give a station another name.

        Raises:
            PlayerError: the name is empty or taken.
        """
        session = self._session
        kept = session.stations.rename(station_id, name)
        if session.station is not None and session.station.id == station_id:
            self._loop.settle(replace(session.station, name=kept), f"This station is called “{kept}” now.")

    @command
    def remove_station(self, station_id: int) -> None:
        """Delete a station; "undo" brings it back. The one that is on plays on as long as nobody leaves it."""
        session = self._session
        station = self._loop.find_station(station_id)
        if station is not None:
            session.stations.remove(station_id)
            session.take_back = lambda: f"The station “{session.stations.restore(station_id)}” is back."
            session.came_from = [other for other in session.came_from if other != station_id]
            session.show(notice=f"Deleted the station “{station.name}”; z brings it back.")

    @command
    def more_like(self, track_id: int | None = None) -> None:
        """Turn to the station that grows from a track (the playing one without an id); the playing track plays on."""
        session = self._session
        now = session.current
        if track_id is None and now is None:
            session.show(notice="Nothing is playing, so there is nothing to find more of.")
            return
        if now is not None and track_id in {None, now.track.id}:
            station = self._loop.like(now.track)
            if session.station is not None and session.station.id == station.id:
                session.show(notice=f"This is the station like “{now.track.title}” already.")
                return
            self._loop.turn_around(station, SEED_REASON)
            self._told_of_back(f"More like “{now.track.title}”.")
            return
        assert track_id is not None
        track = session.playable_track(track_id)
        if track is not None:
            self._loop.turn_to(self._loop.like(track), first=track, reason=SEED_REASON)
            self._told_of_back(f"More like “{track.title}”.")

    @command
    def back(self) -> None:
        """Turn to the station that was on before; the playing track plays on."""
        session = self._session
        for last in self._way_back():
            station = self._loop.find_station(last)
            if station is not None and (session.station is None or station.id != session.station.id):
                left, way = session.station, session.came_from
                if session.current is None:
                    self._loop.turn_to(station)
                else:
                    self._loop.turn_around(station, f"playing since “{left.name if left else ''}”", chosen=False)
                # Coming back is no step further.
                session.came_from = way[: len(way) - 1 - way[::-1].index(last)] if last in way else []
                words = "" if left is None else f" “{left.name}” stays among your stations."
                session.show(notice=f"Back on “{station.name}”.{words}")
                return
        session.show(notice="No other station was on before.")

    @command
    def turn_dial(self, by: int) -> None:
        """Make the station more familiar (below 0) or more adventurous, by so many hundredths."""
        session = self._session
        if session.station is None:
            session.show(notice="The dial is a station's; choose one first (s).")
            return
        station = session.station
        dial = session.stations.turn_dial(station.id, station.dial + by)
        self._loop.settle(replace(station, dial=dial), f"Dial at {dial}: {dial_words(dial)}.")

    @command
    def set_mode(self, mode: str) -> None:
        """Let the station play in another way.

        Raises:
            PlayerError: there is no such mode.
        """
        session = self._session
        mode = check_mode(mode)
        if session.station is None:
            session.show(notice="A mode is a station's; choose one first (s).")
            return
        session.stations.set_mode(session.station.id, mode)
        self._loop.settle(replace(session.station, mode=mode), f"From now on: {MODE_WORDS[mode]}.")

    def _way_back(self) -> list[int]:
        """The stations that were on before, the last one first; of earlier runs, the last one that played."""
        session = self._session
        here = None if session.station is None else session.station.id
        plays = reversed(session.history.state.plays)
        earlier = next((station for station, _ in plays if station not in {None, here}), None)
        return [*reversed(session.came_from), *([] if earlier is None else [earlier])]

    def _told_of_back(self, words: str) -> None:
        session = self._session
        way = f" b goes back to “{self._before()}”." if session.came_from else ""
        session.show(notice=f"{words}{way}")

    def _before(self) -> str:
        station = self._loop.find_station(self._session.came_from[-1])
        return "" if station is None else station.name


def dial_words(dial: int) -> str:
    """What a position of the dial asks for."""
    if dial == NEUTRAL:
        return "as the station is"
    return "more of what you know" if dial < NEUTRAL else "more of what you do not know yet"
