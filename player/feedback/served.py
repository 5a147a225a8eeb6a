"""What was served, as it is written and kept for later weighing."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from player.feedback.events import MICROSECONDS


@dataclass(frozen=True, slots=True)
class Served:
    """A committed slot, as it is written and kept for later weighing; the columns are those of ``storage.models.Decision``.

    Attributes:
        eligible: see :func:`pack_eligible`.
        trial_id: the trial of two arms that it was served in.
        pair: in a trial, the running number of its pair of slots.
        id, time_us: once it is written.
    """

    station_id: int
    track_id: int
    watermark: int
    slot: int
    rank: int
    score: float
    propensity: float | None
    model_version: str
    arm: str
    temperature: float
    eligible_count: int
    log_partition: float
    eligible: bytes
    trial_id: int | None = None
    pair: int | None = None
    id: int = 0
    time_us: int = 0

    @property
    def time(self) -> float:
        """When it was drawn, in seconds since 1970."""
        return self.time_us / MICROSECONDS

    @property
    def eligible_ids(self) -> NDArray[np.int64]:
        """(k,) ids of the eligible tracks that were kept, best first."""
        return np.frombuffer(self._kept[0], "<i4").astype(np.int64)

    @property
    def eligible_utilities(self) -> NDArray[np.float64]:
        """(k,) their utilities."""
        return np.frombuffer(self._kept[1], "<f4").astype(np.float64)

    @property
    def _kept(self) -> tuple[bytes, bytes]:
        content = zlib.decompress(self.eligible)
        return content[: len(content) // 2], content[len(content) // 2 :]


def pack_eligible(ids: ArrayLike, utilities: ArrayLike) -> bytes:
    """Eligible tracks as a decision keeps them: zlib of int32 ids followed by float32 utilities, best first."""
    return zlib.compress(np.asarray(ids, dtype="<i4").tobytes() + np.asarray(utilities, dtype="<f4").tobytes())
