"""Tags of the sound: the front-end hears them in each track, and they hold or do not, as in ``tag:mellow`` in a search.

The network's probabilities are no use as they are: of 240 tracks with as many kinds of music it gives "rock" up to 0.5
and "sad" never more than 0.03, though it orders both well. So each tag is cut where the library's own tracks fall into two
groups; `docs/research/map.md` has the measurements.

Moods, where ``player experiment moods`` has learned them, are tags like the others; `docs/research/moods.md` has theirs.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.spec import FrontEndSpec
from player.library.vectors import VectorTable, load_vectors
from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact

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


@dataclass(frozen=True, slots=True)
class Moods:
    """What share of listeners feel each of some moods, by a track's vector.

    Attributes:
        frontend, version: whose vectors they are.
        names: of the moods, one a column.
        weights: (dimension, moods) of a vector, in logits.
        level: (moods,) the logit at a vector of zeros.
    """

    frontend: str
    version: str
    names: tuple[str, ...]
    weights: NDArray[np.float64]
    level: NDArray[np.float64]

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, moods) shares between 0 and 1 for vectors (n, dimension); NaN rows for NaN rows."""
        logits = vectors @ self.weights.astype(np.float32) + self.level.astype(np.float32)
        return (0.5 * (1.0 + np.tanh(0.5 * logits))).astype(np.float32)

    def keep(self, session: Session) -> None:
        """Have the player hear them from now on, in place of those learned before."""
        kept = {
            **asdict(self),
            "weights": self.weights.round(DIGITS).tolist(),
            "level": self.level.round(DIGITS).tolist(),
        }
        keep_fact(session, MOODS, kept)


MOODS, DIGITS = "moods", 6


def load_moods(session: Session, spec: FrontEndSpec) -> Moods | None:
    """The moods that were learned on the vectors of a front-end; None where none were, or what is kept is damaged."""
    kept: Any = read_fact(session, MOODS)
    try:
        found = Moods(
            str(kept["frontend"]),
            str(kept["version"]),
            tuple(map(str, kept["names"])),
            np.array(kept["weights"], np.float64),
            np.array(kept["level"], np.float64),
        )
    except (KeyError, TypeError, ValueError):
        return None
    count = len(found.names)
    fits = found.weights.shape == (spec.dimension, count) and found.level.shape == (count,)
    fits = fits and bool(np.isfinite(found.weights).all() and np.isfinite(found.level).all())
    return found if fits and (found.frontend, found.version) == (spec.name, spec.version) else None


def sound_tags(session: Session, table: VectorTable, frontend: str = DEFAULT_FRONTEND) -> SoundTags:
    """The tags of tracks whose vectors are loaded, and the moods that were learned."""
    spec = frontend_spec(frontend)
    moods = load_moods(session, spec) if table.vectors.shape[1] == spec.dimension else None
    if moods is None or table.tags.shape[1] != len(spec.tag_names):
        return SoundTags(spec.tag_names, table.tags)
    heard = np.concatenate([table.tags, moods.of(table.vectors)], axis=1)
    return SoundTags((*spec.tag_names, *moods.names), heard)


def load_sound_tags(session: Session, track_ids: list[int], frontend: str = DEFAULT_FRONTEND) -> SoundTags:
    """The tags of ``track_ids``, in that order."""
    return sound_tags(session, load_vectors(session, frontend, track_ids), frontend)


def known_tag_names(database: Database) -> tuple[str, ...]:
    """The tags that the default front-end hears, and the moods that were learned."""
    spec = frontend_spec(DEFAULT_FRONTEND)
    with database.reader() as session:
        moods = load_moods(session, spec)
    return spec.tag_names if moods is None else (*spec.tag_names, *moods.names)
