"""How the running update learns: how fast it forgets, and how far one label may move it."""

from dataclasses import dataclass
from math import inf, isfinite


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Settings of the running update; the defaults are those of a player that has not been trained.

    Attributes:
        half_life: after so many further labels that count on the station a label counts half. Labels are counted, not
            days, so that a station rested for a month is as it was.
        weight_variance: prior variance of each feature's weight (:class:`recommender.models.online_update.Prior`). Large, a single
            thumb is felt at once; small, many are weighed before anything moves, which orders unheard tracks better
            once there are some hundred.
    """

    half_life: float = 100.0
    weight_variance: float = 4.0

    def __post_init__(self) -> None:
        """Raise ValueError unless both are positive numbers."""
        for name, value in (("half_life", self.half_life), ("weight_variance", self.weight_variance)):
            if not (isfinite(value) and 0.0 < value < inf):
                raise ValueError(f"{name} must be a positive number, not {value}")


UNTUNED = UpdateSettings()
"""Good for the first hundred labels, when each has to be felt; ``docs/research/simulation.md`` has the measurements."""
