"""The trial on the station that is on: taken up when one begins, left when it ends, told in a line."""

from player.playback.active_station import TunedStation
from player.playback.player_state import Session
from player.stations.trial_arms import Trials
from player.trials.lifecycle import PLAIN_MODE, arms_on, settle
from player.trials.report import line_of


class TrialWatch:
    """Keeps the station that is on and its trial together.

    Args:
        session: the player's.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trials = Trials(session.database)

    def take_up(self, tuned: TunedStation) -> str:
        """Give a station the trial that runs on it, if any; the sentence of one that ended just now, else empty."""
        session = self._session
        arms, sentence = arms_on(
            session.database, session.paths, session.history, session.known.collection, tuned.station
        )
        tuned.enter(arms)
        return sentence

    def look(self, tuned: TunedStation) -> str:
        """Before a track is served: settle a trial whose time has come, take up one that began elsewhere.

        Returns:
            The sentence of a trial that has ended; empty where none has.
        """
        running = self._trials.running(tuned.station.id)
        on = None if tuned.trial is None else tuned.trial.trial
        session = self._session
        if on is not None and running is not None and running.id == on.id:
            sentence = settle(session.database, session.paths, on, session.history)
            if sentence is not None:
                tuned.enter(None)
            return sentence or ""
        return "" if on is None and running is None else self.take_up(tuned)

    def line(self, tuned: TunedStation) -> str:
        """The quiet line of the trial; empty without one."""
        if tuned.trial is None or tuned.station.mode != PLAIN_MODE:
            return ""
        return line_of(self._session.database, tuned.trial.trial, self._session.history)
