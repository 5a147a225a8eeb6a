"""What ``player evaluate --policy`` says."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from recommender.evaluation.offpolicy import CAP, FEWEST_EFFECTIVE

if TYPE_CHECKING:
    from player.trials.offpolicy import PolicyEvaluation
    from recommender.evaluation.offpolicy import Value

LEAST_UNKNOWN = 0.0005
"""Share of choices told of: less than that reads as 0.0 %."""


def policy_document(evaluated: "PolicyEvaluation") -> dict[str, Any]:
    """The estimates as a JSON document."""
    report = evaluated.report
    return {
        **asdict(report),
        "verdict": report.verdict,
        "cap": CAP,
        "fewest_effective": FEWEST_EFFECTIVE,
        "version": evaluated.version,
        "since": _moment(evaluated.since),
    }


def print_policy(evaluated: "PolicyEvaluation") -> None:
    """The estimates for a person."""
    report = evaluated.report
    version = "" if evaluated.version is None else f" ({evaluated.version})"
    plural = "" if report.sessions == 1 else "s"
    print(f"“{report.policy}”{version} on {report.decisions} judged decisions, {report.sessions} session{plural}")
    if evaluated.since:
        print(f"  since {_moment(evaluated.since)}: it has learned from what came before")
    if report.decisions:
        print(f"  liking of what was served     {_value(report.logged)}")
        print(f"  SNIPS                         {_value(report.snips)}")
        print(f"  doubly robust                 {_value(report.doubly_robust)}")
        print(f"  doubly robust less served     {_value(report.lead, '+')}")
        print(
            f"  effective sample size {report.effective:.1f}; weights capped at {CAP:g} in {report.capped:.1%}, the largest "
            f"was {report.largest_weight:.1f}"
        )
        if report.unknown >= LEAST_UNKNOWN:
            print(
                f"  {report.unknown:.1%} of its choices lie on tracks beyond the thousand that a decision keeps: doubly "
                f"robust may be off by {report.unknown:.3f}"
            )
    print(report.verdict)


def _value(value: "Value", sign: str = "") -> str:
    bounds = "" if value.low is None else f"  ({value.low:{sign}.3f} to {value.high:{sign}.3f})"
    return f"{value.mean:{sign}.3f}{bounds}"


def _moment(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
