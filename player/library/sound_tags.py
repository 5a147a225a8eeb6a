"""Tags of the sound: the front-end hears them in each track, and they hold or do not, as in ``tag:mellow`` in a search.

The network's probabilities are no use as they are: of 240 tracks with as many kinds of music it gives "rock" up to 0.5
and "sad" never more than 0.03, though it orders both well. So each tag is cut where the library's own tracks fall into two
groups; `docs/research/map.md` has the measurements.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from player.library.vectors import load_vectors

CERTAIN = 0.5
"""From here on the network itself says rather yes than no, whatever the rest of the library is like."""
MOST = 0.995
"""The quantile that stands for the tracks that have most of a tag: not the greatest, which one odd track sets."""
FAINT = 0.2
"""Of that; below, a tag does not hold. Where hardly any track has it, as with metal in a library of chamber music, there are no
two groups, and Otsu's threshold lies somewhere in the faint rest: it would have called a third of 240 tracks metal."""


def tag_threshold(probabilities: NDArray[np.float32]) -> float:
    """The probability from which on a tag holds in this library.

    Otsu's threshold (IEEE Trans. SMC 9, 1979, equation 12: the split with the greatest variance between the two sides) of the
    probabilities' square roots, which evens out their spread as small probabilities vary less; at least ``FAINT`` times what
    the tag reaches in the few tracks that have most of it, and at most ``CERTAIN``.

    Args:
        probabilities: (n,) of one tag over the library; NaN for tracks never listened to.

    Returns:
        A threshold; ``CERTAIN`` where the tracks do not differ.
    """
    ordered = np.sort(probabilities[np.isfinite(probabilities)])
    if not len(ordered) or ordered[0] == ordered[-1]:
        return CERTAIN
    most = ordered[round(MOST * (len(ordered) - 1))]
    return min(CERTAIN, max(float(ordered[otsu(np.sqrt(ordered, dtype=np.float64))]), FAINT * float(most)))


def otsu(ordered: NDArray[np.float64]) -> int:
    """Otsu's split of ascending values, of which not all are equal, into two groups: the place of the upper group's first."""
    sums = np.cumsum(ordered)
    below = np.arange(1, len(ordered))
    above = len(ordered) - below
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    # Equal values stay on one side.
    between[ordered[1:] == ordered[:-1]] = -np.inf
    return 1 + int(np.argmax(between))


@dataclass(frozen=True, slots=True)
class SoundTags:
    """The tags of a list of tracks; each is calibrated when it is first asked for.

    Attributes:
        names: the tags' names, one a column.
        probabilities: (n, tags) float32, NaN rows for tracks never listened to; (n, 0) when none was.
    """

    names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    _held: dict[str, NDArray[np.bool_]] = field(default_factory=dict[str, NDArray[np.bool_]], init=False, repr=False)

    @property
    def known(self) -> bool:
        """True where any track was listened to."""
        return bool(self.probabilities.shape[1] == len(self.names) and np.isfinite(self.probabilities).any())

    def holding(self, name: str) -> NDArray[np.bool_]:
        """(n,) for which tracks the tag of that name holds, blind to case; for none where there is no such tag."""
        folded = name.casefold()
        if folded not in self._held:
            self._held[folded] = self._hold(folded)
        return self._held[folded]

    def _hold(self, folded: str) -> NDArray[np.bool_]:
        columns = [column for column, name in enumerate(self.names) if name.casefold() == folded]
        if not columns or not self.known:
            return np.zeros(len(self.probabilities), np.bool_)
        column = self.probabilities[:, columns[0]]
        # NaN is never at least anything: a track never listened to has no tags.
        return column >= np.float32(tag_threshold(column))


def load_sound_tags(session: Session, track_ids: list[int], frontend: str = DEFAULT_FRONTEND) -> SoundTags:
    """The tags of ``track_ids``, in that order."""
    return SoundTags(frontend_spec(frontend).tag_names, load_vectors(session, frontend, track_ids).tags)
