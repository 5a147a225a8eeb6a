"""What may be concluded from an evaluation of one listener's log, in sentences; and what may not, and what it would take.

Nothing is measured here: figures come in, sentences go out. The question is whether the recommender orders a liked
above a disliked track of one station (pair AUC) more often than each baseline does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.evaluation.bootstrap import BLOCK_ROWS, SESSION_GAP
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.promotion import CHANCE_AUC, FEWEST_PAIRS
from recommender.evaluation.report import Comparison, Evaluation, Report, compare
from recommender.events import EventLog, Outcome


@dataclass(frozen=True, slots=True)
class LogFacts:
    """A log in figures.

    Attributes:
        events: rows.
        outcomes: rows of each outcome that occurs, most frequent first.
        likes, dislikes: judged rows, those that can be measured on.
        explicit: judged rows in which the listener said so (thumb, never).
        unjudged: rows too ambiguous to be right or wrong about.
        tracks: with any row.
        library: tracks there are.
        repeats: share of the rows about a track that had a row before; 0 without rows.
        stations: with any row.
        station_agreement: chance that two judged rows are of one station, 0…1; 1 without judged rows.
        sessions: separated by half an hour of silence.
        first, last: seconds on the log's clock; None without rows.
    """

    events: int
    outcomes: Mapping[Outcome, int]
    likes: int
    dislikes: int
    explicit: int
    unjudged: int
    tracks: int
    library: int
    repeats: float
    stations: int
    station_agreement: float
    sessions: int
    first: float | None
    last: float | None

    @property
    def judged(self) -> int:
        """Rows that can be measured on."""
        return self.likes + self.dislikes


def log_facts(log: EventLog) -> LogFacts:
    """Count one listener's log."""
    judged, events = log.judged, len(log)
    outcomes = {outcome: int(np.count_nonzero(log.outcome == outcome)) for outcome in Outcome}
    by_station = np.bincount(log.station[judged])
    heard = len(np.unique(log.track))
    return LogFacts(
        events=events,
        outcomes=dict(sorted(((o, n) for o, n in outcomes.items() if n), key=lambda pair: -pair[1])),
        likes=int(np.count_nonzero(judged & (log.label > 0))),
        dislikes=int(np.count_nonzero(judged & (log.label < 0))),
        explicit=int(np.count_nonzero(judged & log.explicit)),
        unjudged=int(np.count_nonzero(~judged)),
        tracks=heard,
        library=log.tracks,
        repeats=1.0 - heard / events if events else 0.0,
        stations=len(np.unique(log.station)),
        station_agreement=float(np.sum((by_station / by_station.sum()) ** 2)) if judged.any() else 1.0,
        sessions=int(events > 0) + int(np.count_nonzero(np.diff(log.time) > SESSION_GAP)),
        first=float(log.time[0]) if events else None,
        last=float(log.time[-1]) if events else None,
    )


FEWEST_BLOCKS = 10
"""Blocks of listening below which a bootstrap interval is markedly too narrow (Cameron, Gelbach & Miller 2008)."""
FEWEST_ROWS = 20
"""Judged test rows below which calibration and lists are not spoken of."""
LEANING = 0.8
"""Certainty from which "probably" may be said; below it, the two cannot be told apart."""
LARGEST_GATE = 0.3
"""Share of a log that is measured on at most."""
CHANCE_MODEL = "random"
"""Is compared with, but is never the best baseline: its figure is luck."""
SIGNIFICANT, POWER = 1.96, 0.84
"""Normal quantiles: 5 % two-sided, and a chance of 80 % to find a difference that is there."""
BOUND_WIDTH = 2.0 * SIGNIFICANT
"""Standard errors that a 95 % interval is wide."""
MOST_EVENTS = 100_000
"""A difference that takes more events than this to show is none for a listener."""
MISSING_KIND = 5
"""Dislikes (or likes) that are asked for at least when there are none."""


class Standing(StrEnum):
    """How the recommender stands to the best baseline."""

    NO_FEEDBACK = "no feedback"
    TOO_LITTLE = "too little feedback"
    BETTER = "better"
    PROBABLY_BETTER = "probably better"
    UNDECIDED = "undecided"
    PROBABLY_WORSE = "probably worse"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What may be concluded.

    Attributes:
        standing: in a word.
        sentence: in a sentence.
        details: what else there is to say, a sentence each.
        best: the baseline with the highest pair AUC, chance aside; None without pairs.
        more_events: about how many more it takes to be sure; None where none are missing or no number is meaningful.
    """

    standing: Standing
    sentence: str
    details: tuple[str, ...]
    best: str | None
    more_events: int | None


def conclude(evaluation: Evaluation, subject: str, facts: LogFacts, blocks: int) -> Conclusion:
    """Say what the figures say.

    Args:
        evaluation: of the subject and its baselines on the newest slice of the log.
        subject: name of the recommender in question; all others are its rivals.
        facts: of the whole log.
        blocks: sessions, or runs of rows, that the intervals rest on.
    """
    report = evaluation.report
    if report.positives + report.negatives == 0:
        return _without_test(facts)
    rivals = [model for model in evaluation.models if model != subject]
    comparisons = compare(evaluation, subject, rivals, Measure.PAIR_AUC)
    best = max((c for c in comparisons if c.rival != CHANCE_MODEL), key=lambda c: c.theirs, default=None)
    if report.pairs < FEWEST_PAIRS or best is None:
        return _too_little(report, facts)
    standing = _standing(best, blocks)
    more = _events_to_be_sure(best, facts.events, blocks) if standing not in (Standing.BETTER, Standing.WORSE) else None
    details = [
        *_against_chance(report, subject),
        *_counts(comparisons, blocks),
        *_about_more(best, standing, more),
        *_about_blocks(report, blocks),
        *_remarks(report, subject, best.rival),
    ]
    return Conclusion(standing, _sentence(report, subject, best, standing), tuple(details), best.rival, more)


def events_for_pairs(facts: LogFacts) -> int:
    """About how many events a log needs until its newest part holds enough pairs, if it goes on as it began.

    Of m judged rows with a share p of likes, about p (1 − p) m² · (chance that two are of one station) pairs form; p is
    smoothed by one row of each kind.
    """
    share = (facts.likes + 1.0) / (facts.judged + 2.0)
    rows = math.sqrt(FEWEST_PAIRS / (share * (1.0 - share) * facts.station_agreement))
    judged_share = (facts.judged + 1.0) / (facts.events + 1.0)
    return math.ceil(rows / (LARGEST_GATE * judged_share))


def roughly(count: float) -> int:
    """A number of events in the precision it deserves: rounded up to 1, 1.5, 2 … 9.5 times a power of ten, at least 10."""
    step = 10.0 ** math.floor(math.log10(max(10.0, count))) / 2.0
    return int(math.ceil(max(10.0, count) / step) * step)


def _without_test(facts: LogFacts) -> Conclusion:
    if facts.judged == 0:
        more = roughly(events_for_pairs(facts) - facts.events)
        sentence = (
            "There is no feedback to measure on yet, so nothing can be concluded: thumbs, early skips and finished tracks "
            f"are what is measured, and roughly {more} of them, likes and dislikes, make a beginning."
        )
        return Conclusion(Standing.NO_FEEDBACK, sentence, (), None, more)
    sentence = (
        "There is no feedback newer than what was learned from, so nothing can be concluded: listen on, and ask again."
    )
    return Conclusion(Standing.NO_FEEDBACK, sentence, (_so_far(facts),), None, None)


def _too_little(report: Report, facts: LogFacts) -> Conclusion:
    held = f"the newest feedback holds {_count(report.positives, 'like')} and {_count(report.negatives, 'dislike')}"
    if facts.likes == 0 or facts.dislikes == 0:
        missing, other, deed = (
            ("dislike", report.positives, "thumb down or skip what you do not want to hear")
            if facts.dislikes == 0
            else ("like", report.negatives, "thumb up or let play what you want to hear")
        )
        wanted = max(MISSING_KIND, math.ceil(FEWEST_PAIRS / other))
        sentence = (
            f"Nothing can be concluded: {held}, and without any {missing} there is nothing to compare. "
            f"It takes {missing}s too: {deed}; about {wanted} more in your next sessions would do."
        )
        return Conclusion(Standing.TOO_LITTLE, sentence, (_so_far(facts),), None, None)
    more = roughly(max(1, events_for_pairs(facts) - facts.events))
    sentence = (
        f"Nothing can be concluded yet: {held}, which make {report.pairs} of the {FEWEST_PAIRS} pairs of a liked and a "
        f"disliked track on one station that a comparison needs. Roughly {more} more events would do, if you go on as so far."
    )
    return Conclusion(Standing.TOO_LITTLE, sentence, (_so_far(facts),), None, more)


def _so_far(facts: LogFacts) -> str:
    share = facts.likes / facts.judged if facts.judged else 0.0
    return (
        f"What can be said: likes so far are {facts.likes} of {_count(facts.judged, 'clear answer')} ({_percent(share)}). "
        "Figures that could be computed are shown; read nothing into their order."
    )


def _standing(best: Comparison, blocks: int) -> Standing:
    better = best.difference.probability_better
    if better is None:
        return Standing.UNDECIDED
    enough = blocks >= FEWEST_BLOCKS
    if better >= LEANING:
        return Standing.BETTER if best.surely_better and enough else Standing.PROBABLY_BETTER
    if better <= 1.0 - LEANING:
        return Standing.WORSE if best.surely_worse and enough else Standing.PROBABLY_WORSE
    return Standing.UNDECIDED


def _sentence(report: Report, subject: str, best: Comparison, standing: Standing) -> str:
    row = report.row(subject, Measure.PAIR_AUC)
    bounds = "" if row is None or row.low is None or row.high is None else f" (95 % {_range(row.low, row.high)})"
    own, theirs = _two_percents(best.own, best.theirs)
    who = f"the best baseline ({best.rival}, {theirs})"
    better = best.difference.probability_better
    endings = {
        Standing.BETTER: f"better than {who} by {_points(best)}; that is sure",
        Standing.PROBABLY_BETTER: f"better than {who} with {_certainty(better)} certainty; that is not yet sure",
        Standing.UNDECIDED: f"which cannot be told apart from {who}",
        Standing.PROBABLY_WORSE: f"worse than {who} with {_certainty(better, of_worse=True)} certainty; that is not yet sure",
        Standing.WORSE: f"worse than {who} by {_points(best)}; that is sure",
    }
    return f"{_named(subject)} orders a liked above a disliked track in {own} of pairs{bounds}, {endings[standing]}."


def _points(comparison: Comparison) -> str:
    """The size of a difference in points, with its interval."""
    difference = comparison.difference
    sign = 1.0 if difference.mean >= 0.0 else -1.0
    text = f"{100.0 * abs(difference.mean):.0f} points"
    if difference.low is None or difference.high is None:
        return text
    ends = sorted((sign * difference.low, sign * difference.high))
    return f"{text} (95 % {100.0 * ends[0]:.0f} to {100.0 * ends[1]:.0f})"


def _against_chance(report: Report, subject: str) -> list[str]:
    row = report.row(subject, Measure.PAIR_AUC)
    if row is None or row.low is None or row.high is None:
        return [
            "There is no interval: the feedback was given in one go, so nothing says how far chance moves the figures."
        ]
    if row.low == row.high == CHANCE_AUC:
        return ["It gives the tracks compared the same score, which is no order at all."]
    if row.low > CHANCE_AUC:
        return ["Chance would be 50 %; it is above that."]
    if row.high < CHANCE_AUC:
        return ["Chance would be 50 %; it is below that."]
    return ["Chance would be 50 %, which the interval includes: that it knows anything about your taste is not shown."]


def _counts(comparisons: Sequence[Comparison], blocks: int) -> list[str]:
    if blocks < FEWEST_BLOCKS:
        return []
    better = [c.rival for c in comparisons if c.surely_better]
    worse = [c.rival for c in comparisons if c.surely_worse]
    corrected = f"Corrected for {_count(len(comparisons), 'comparison')}, it is"
    return [f"{corrected} surely better than {_listed(better)}, and surely worse than {_listed(worse)}."]


def _about_more(best: Comparison, standing: Standing, more: int | None) -> list[str]:
    if standing in (Standing.BETTER, Standing.WORSE):
        return []
    if more is not None:
        return [
            f"If the difference to {best.rival} stays what it is, roughly {more} more events would be needed to be sure of it."
        ]
    if best.difference.low is None:
        return []
    return [
        f"The difference to {best.rival} is too small for any amount of listening to make sure of: take them as equal."
    ]


def _events_to_be_sure(best: Comparison, events: int, blocks: int) -> int | None:
    """From the standard error now, which shrinks with the root of the log: n · (((1.96 + 0.84) · se / d)² − 1).

    At least as many as make enough blocks; None when the difference is too small ever to show.
    """
    low, high = best.difference.low, best.difference.high
    if low is None or high is None or best.difference.mean == 0.0:
        return None
    error = (high - low) / BOUND_WIDTH
    growth = ((SIGNIFICANT + POWER) * error / best.difference.mean) ** 2
    more = events * max(growth - 1.0, FEWEST_BLOCKS / max(blocks, 1) - 1.0, 0.0)
    return roughly(more) if more <= MOST_EVENTS else None


def _about_blocks(report: Report, blocks: int) -> list[str]:
    if blocks >= FEWEST_BLOCKS:
        return []
    rows = report.positives + report.negatives
    held = f"The {rows} answers measured on make only {_count(blocks, 'block')} of listening"
    why = f"intervals of fewer than {FEWEST_BLOCKS} are too narrow, so the conclusion calls nothing sure"
    return [f"{held} (sessions, or runs of {BLOCK_ROWS} answers): {why}."]


def _remarks(report: Report, subject: str, best: str) -> list[str]:
    """Calibration, repeats and diversity in a sentence each, the best baseline beside; none on too few rows."""
    if report.positives + report.negatives < FEWEST_ROWS:
        return []
    remarks: list[str] = []
    error, theirs = report.mean(subject, Measure.ECE), report.mean(best, Measure.ECE)
    if error is not None and theirs is not None:
        remarks.append(
            f"Its P(like), read off the score, misses what came by {100.0 * error:.0f} points on average "
            f"({best}: {100.0 * theirs:.0f})."
        )
    known, new = report.mean(subject, Measure.HIT_RATE_REPEAT), report.mean(subject, Measure.HIT_RATE_EXPLORE)
    if known is not None and new is not None:
        remarks.append(
            f"A track you knew and then liked was among its first ten {_percent(known)} of the time, one new to you {_percent(new)}."
        )
    reach, theirs = report.mean(subject, Measure.COVERAGE), report.mean(best, Measure.COVERAGE)
    if reach is not None and theirs is not None:
        remarks.append(
            f"All its first tens together reached {_percent(reach)} of the library ({best}: {_percent(theirs)})."
        )
    return remarks


def _named(subject: str) -> str:
    return f"The {subject}" if subject == "model" else f"The {subject} player"


def _count(count: int, noun: str) -> str:
    return f"{'no' if count == 0 else count} {noun}{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _two_percents(own: float, theirs: float) -> tuple[str, str]:
    """With a decimal only where rounding would hide a difference."""
    digits = 1 if own != theirs and f"{own:.2f}" == f"{theirs:.2f}" else 0
    return f"{100.0 * own:.{digits}f} %", f"{100.0 * theirs:.{digits}f} %"


def _range(low: float, high: float) -> str:
    return f"{100.0 * low:.0f}–{100.0 * high:.0f}"


def _certainty(better: float | None, *, of_worse: bool = False) -> str:
    share = 0.0 if better is None else 1.0 - better if of_worse else better
    return "more than 99 %" if share > 0.99 else _percent(share)  # noqa: PLR2004 - 100 % would be a promise


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"
