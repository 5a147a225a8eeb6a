"""The control of a trial: the same model, its sequence trained as if nobody had ever disliked anything.

What negative feedback is worth to the sequential model is the question of Mei, Bembom & Ehmann (2024); their control had
none of it. So of the control's sequence, dislikes and skips are neither targets (``p_hard`` is 0, whose negatives are
random tracks) nor inputs, in training and when it serves. All else is the live model's: CLEP, what the running update
makes of every thumb, the rules, and the way the blend is fitted. The epoch at which training stops and the weights of
the blend are chosen on held-out likes *and* dislikes, as they are for the live model: a control that was stopped or
weighed worse would be a straw man.
"""

from recommender.events import EventLog
from recommender.models.blend import Column, Floats
from recommender.models.model_scorer import ModelScorer

SEQUENCE = "sequence."
"""What the names of the sequence's arrays begin with."""


def without_negatives(log: EventLog) -> EventLog:
    """The rows that are no negative feedback."""
    return log.where(log.label >= 0)


class WithoutNegatives(ModelScorer):
    """A control as it serves: its sequence is told of no dislike, the rest of the model is."""

    def columns(self, history: EventLog, station: int, now: float) -> Floats:
        """As :meth:`ModelScorer.columns`, the sequence's column in the state without dislikes and skips."""
        columns = super().columns(history, station, now)
        liked = super().columns(without_negatives(history), station, now)
        columns[:, Column.SEQUENCE] = liked[:, Column.SEQUENCE]
        return columns
