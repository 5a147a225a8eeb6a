"""What an entry of a history comes to in the log, by the same rules as what happens here (``player.feedback.signals``).

| the source says | event |
|---|---|
| played to the end, scrobbled | finish |
| next pressed, and where | skip (action next) |
| went back to the track before | skip (action previous) |
| another track chosen | skip (action chose) |
| stopped, logged out, crashed | finish if it was nearly over, else nothing |
| an error | nothing |
| how long it was heard, not why it ended | finish if nearly over; skip if early; else nothing |
| picked by hand | start (action chose), besides how it ended |
| love, like, heart, many stars / hate, dislike, few stars | up / down, on no station |
| played again and again | replay |

None of it belongs to a station, so a "down" is a dislike and takes the track off none.
"""

from player.feedback.events import MICROSECONDS, NewEvent
from player.feedback.signals import EARLY_SECONDS, EARLY_SHARE, counts_as_finished
from player.integrations.history.entries import End, Entry, Judgement, Play
from player.storage.event_kinds import Action, Kind

_SKIPS = {End.NEXT: Action.NEXT, End.BACK: Action.PREVIOUS, End.CHOSE: Action.CHOSE}


def events_of(entry: Entry, track_id: int, duration: float) -> tuple[NewEvent, ...]:
    """The events that an entry about this track comes to; none where it says nothing about taste.

    Args:
        entry: what the history tells.
        track_id: the track it was matched to.
        duration: the track's seconds; 0 where unknown.
    """
    if isinstance(entry.said, Judgement):
        return (NewEvent(entry.said.kind, track_id, at_us=entry.said.at_us),)
    return (*_chosen(entry.said, track_id), *_ended(entry.said, track_id, duration))


def _chosen(play: Play, track_id: int) -> tuple[NewEvent, ...]:
    if not play.chosen or play.started_us is None or play.end is End.FAILED:
        return ()
    return (NewEvent(Kind.START, track_id, position=0.0, action=Action.CHOSE, at_us=play.started_us),)


def _ended(play: Play, track_id: int, duration: float) -> tuple[NewEvent, ...]:
    position = play.heard if play.heard is None or duration <= 0 else min(play.heard, duration)
    at_us = ended_us(play, duration)
    finish = NewEvent(Kind.FINISH, track_id, position=position, action=Action.END, at_us=at_us)
    match play.end:
        case End.FINISHED:
            return (finish,)
        case End.NEXT | End.BACK | End.CHOSE:
            return (NewEvent(Kind.SKIP, track_id, position=position, action=_SKIPS[play.end], at_us=at_us),)
        case End.STOPPED:
            return (finish,) if counts_as_finished(position, duration) else ()
        case End.UNTOLD:
            if counts_as_finished(position, duration):
                return (finish,)
            # Left within the first seconds it was most likely skipped; later, nobody knows.
            early = position is not None and duration > 0 and position < min(EARLY_SECONDS, EARLY_SHARE * duration)
            return (NewEvent(Kind.SKIP, track_id, position=position, action=Action.NEXT, at_us=at_us),) if early else ()
        case End.FAILED:
            return ()


def ended_us(play: Play, duration: float) -> int:
    """When the play ended; reckoned from its start where the source tells only that."""
    if play.ended_us is not None:
        return play.ended_us
    assert play.started_us is not None
    heard = play.heard if play.heard is not None else duration
    return play.started_us + round(max(0.0, heard) * MICROSECONDS)
