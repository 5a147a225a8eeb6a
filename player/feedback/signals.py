"""What counts as feedback: the one place where an event becomes a label, with the reasons.

| what happened | counts as |
|---|---|
| thumb up / down, on a station or everywhere | explicit + / − |
| played to 90 % or to the end | implicit + |
| sought to the end | as the share that was heard says, not the place that was reached |
| replayed | implicit +, strong |
| next pressed before 30 s and 50 % | implicit −, strong |
| next pressed later | implicit −, weaker with the share played |
| next pressed in the last seconds | as if finished: crossfaders do that |
| left for a track chosen by hand | weak −: it was not about this track |
| chosen by hand | weak +: an intent, not yet a judgement |
| one of a burst of skips at the keyboard | almost nothing: that is browsing |
| next pressed on coming back after hours | weak −: the hour has changed, not the taste |
| skip without a position | implicit −, weak |
| error, device lost, quit, sleep timer, thumb or ban that ends the play | nothing of its own |
| any of it imported from another player | the same, at half the weight |
| not-now, "less because of this" | nothing about the track |
| never | explicit − |

``docs/feedback.md`` gives the reasons.
"""

from dataclasses import dataclass, replace
from math import nan

from player.storage.event_kinds import Action, Kind, Origin
from recommender.events import Outcome

TOLD = (
    Kind.UP, Kind.DOWN, Kind.CLEAR, Kind.SKIP, Kind.FINISH, Kind.REPLAY, Kind.NOT_NOW, Kind.NEVER, Kind.LESS, Kind.UNDO,
)  # fmt: skip
"""What a listener can tell, on the command line and in batches."""

FINISHED_SHARE = 0.9
"""From here on a play counts as finished."""
LAST_SECONDS = 5.0
"""A skip this close to the end hears the fade-out, not a dislike."""
EARLY_SECONDS = 30.0
EARLY_SHARE = 0.5
"""An early skip lies before both."""
EARLY_WEIGHT = 0.7
LATE_WEIGHT = 0.5
"""Of a later skip, times the share not played."""
UNKNOWN_POSITION_WEIGHT = 0.3
LEFT_WEIGHT = 0.15
AWAY_SECONDS = 3600.0
"""Whoever comes back after such a break in the middle of a track and presses next wants something else now; it says as
little about the track as leaving it for another one."""
CHOSEN_WEIGHT = 0.3
FINISH_WEIGHT = 0.5
REPLAY_WEIGHT = 0.9
BROWSING_WEIGHT = 0.05
IMPORTED_WEIGHT = 0.5
"""What another player's history tells weighs half: it was heard in another order and for other reasons (an album left
running, someone else at the account), and names, not the audio itself, say which track it was."""
BURST_SKIPS = 3
BURST_GAP_SECONDS = 4.0
"""This many skips, each within this gap of the one before, at the keyboard, are browsing."""
KEYBOARD_ORIGINS = frozenset({Origin.TUI})
"""Only a person at the keys browses; events told on the command line or imported are meant one by one."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What one event says about taste."""

    outcome: Outcome
    label: int
    """+1, -1 or 0."""
    weight: float
    """0…1."""
    explicit: bool


THUMB_UP = Signal(Outcome.THUMB_UP, 1, 1.0, explicit=True)
THUMB_DOWN = Signal(Outcome.THUMB_DOWN, -1, 1.0, explicit=True)
NEVER = Signal(Outcome.NEVER, -1, 1.0, explicit=True)
FINISH = Signal(Outcome.FINISH, 1, FINISH_WEIGHT, explicit=False)
REPLAY = Signal(Outcome.REPLAY, 1, REPLAY_WEIGHT, explicit=False)
CHOSEN = Signal(Outcome.CHOSEN, 1, CHOSEN_WEIGHT, explicit=False)
LEFT = Signal(Outcome.LEFT, -1, LEFT_WEIGHT, explicit=False)
RETURNED = Signal(Outcome.SKIP_LATE, -1, LEFT_WEIGHT, explicit=False)
BROWSED = Signal(Outcome.SKIP_LATE, -1, BROWSING_WEIGHT, explicit=False)

_PLAIN: dict[Kind, Signal] = {
    Kind.UP: THUMB_UP,
    Kind.DOWN: THUMB_DOWN,
    Kind.NEVER: NEVER,
    Kind.REPLAY: REPLAY,
}
SPEAKS_ELSEWHERE = frozenset(
    {Action.DOWN, Action.NOT_NOW, Action.NEVER, Action.QUIT, Action.ERROR, Action.STATION, Action.SLEEP}
)
"""Actions whose skip says nothing of its own: the thumb or ban beside it does, or nobody meant the track."""
PLAYERS = frozenset({Origin.TUI, Origin.HEADLESS})
"""Origins that were there while the track played, and so know how long it took."""


def signal_of(
    kind: Kind,
    *,
    position: float | None,
    duration: float,
    action: Action | None,
    browsing: bool = False,
    heard: float | None = None,
    returned: bool = False,
) -> Signal | None:
    """The signal of one event, or None where it says nothing about taste.

    Args:
        kind: the event's kind.
        position: seconds into the track, where known.
        duration: the track's seconds; 0 where unknown.
        action: what the listener did.
        browsing: whether it belongs to a burst of skips (see :func:`browsing_skips`).
        heard: seconds that were heard of it, where some before ``position`` were jumped over; they count instead.
        returned: whether the listener came back to it after a long break.
    """
    until = position if heard is None else heard
    if kind == Kind.START:
        return CHOSEN if action == Action.CHOSE else None
    if kind == Kind.FINISH:
        return _finish(heard, duration, action)
    if kind == Kind.SKIP:
        return _skip(until, duration, action, browsing=browsing, returned=returned)
    return _PLAIN.get(kind)


def _finish(heard: float | None, duration: float, action: Action | None) -> Signal | None:
    """The end was reached: a like if the way there was heard, what a skip after so much is if it was jumped over."""
    if action == Action.SLEEP:
        return None  # nobody may have been awake to press next
    if heard is None or duration <= 0 or counts_as_finished(heard, duration):
        return FINISH
    return _skip_by_position(heard, duration)


def _skip(
    position: float | None, duration: float, action: Action | None, *, browsing: bool, returned: bool
) -> Signal | None:
    if action in SPEAKS_ELSEWHERE:
        return None
    if counts_as_finished(position, duration):
        return FINISH
    if browsing:
        return BROWSED
    if action in {Action.CHOSE, Action.PREVIOUS}:
        return LEFT
    return RETURNED if returned else _skip_by_position(position, duration)


def _skip_by_position(position: float | None, duration: float) -> Signal:
    if position is None or duration <= 0:
        return Signal(Outcome.SKIP_LATE, -1, UNKNOWN_POSITION_WEIGHT, explicit=False)
    share = position / duration
    if position < EARLY_SECONDS and share < EARLY_SHARE:
        return Signal(Outcome.SKIP_EARLY, -1, EARLY_WEIGHT, explicit=False)
    return Signal(Outcome.SKIP_LATE, -1, LATE_WEIGHT * (1.0 - share), explicit=False)


def weighed(signal: Signal, origin: Origin) -> Signal:
    """The signal as much as it counts from there: imported ones weigh :data:`IMPORTED_WEIGHT` of what they would here."""
    return replace(signal, weight=signal.weight * IMPORTED_WEIGHT) if origin == Origin.IMPORT else signal


def played_share(kind: Kind, position: float | None, duration: float, heard: float | None = None) -> float:
    """How much of its track a play that ended with this event heard, 0…1; NaN where that cannot be said.

    The arguments are those of :func:`signal_of`.
    """
    if kind == Kind.REPLAY or (kind == Kind.FINISH and (heard is None or duration <= 0)):
        return 1.0
    until = position if heard is None else heard
    if kind not in {Kind.SKIP, Kind.FINISH} or until is None or duration <= 0:
        return nan
    return min(1.0, max(0.0, until / duration))


def counts_as_finished(position: float | None, duration: float) -> bool:
    """Whether a play that ended at ``position`` of ``duration`` seconds was heard to its end."""
    if position is None or duration <= 0:
        return False
    # In a jingle of a few seconds "the last seconds" would be all of it.
    nearly_over = duration > 2 * LAST_SECONDS and position >= duration - LAST_SECONDS
    return nearly_over or position >= FINISHED_SHARE * duration


def browsing_skips(skips: list[tuple[float, Origin]]) -> list[bool]:
    """Which of these skips belong to a burst at the keyboard.

    Args:
        skips: (time in seconds, origin) in time order.

    Returns:
        One flag a skip: true where at least ``BURST_SKIPS`` keyboard skips follow each other within the gap.
    """
    flags = [False] * len(skips)
    run: list[int] = []
    for index, (time, origin) in enumerate(skips):
        if origin not in KEYBOARD_ORIGINS:
            continue
        if run and time - skips[run[-1]][0] > BURST_GAP_SECONDS:
            run = []
        run.append(index)
        if len(run) >= BURST_SKIPS:
            for member in run:
                flags[member] = True
    return flags
