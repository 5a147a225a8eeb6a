"""The reasons of a track, one a row: its name, how far it speaks for or against, and the place without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from player.stations.snapshot import FOLLOWS, ordinal
from player.tui.text import column, dotted, fit, right, signed
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Inked, Line, leaning

if TYPE_CHECKING:
    from player.stations.snapshot import QueueRow
    from player.stations.track_views import Why

_WIDE_FROM = 100
_GAP = 2
_NUMBER = 6
_WITHOUT = 8
"""Cells of "→ 1,234th", or of a smaller rank with a gap before it."""
_MARKS = 3
"""Cells that a list keeps beside its rows: the cursor's mark, a gap, the scroll bar."""


@dataclass(frozen=True, slots=True)
class WhyRow:
    """One row.

    Attributes:
        name: of the reason.
        words: what it says.
        lead: logits above the average; None where the row has no number.
        rank_without: the rank by score without it; None where it has none.
        key: by which it can be taken away, or given back where it is ``muted``.
        inner: it is a part of the row above.
        muted: it counts no more.
        title: it names the rows below.
    """

    name: str
    words: str = ""
    lead: float | None = None
    rank_without: int | None = None
    key: str = ""
    inner: bool = False
    muted: bool = False
    title: bool = False


def why_rows(why: Why) -> list[WhyRow]:
    """The panel's rows: parts, then what was told track by track, then the seeds, then what is taken away."""
    rows = [
        WhyRow(part.name, part.words, part.lead, part.rank_without, part.key, muted=_is_muted(why, part.key))
        for part in why.parts
        if not part.silent or _is_muted(why, part.key)
    ]
    if silent := [part.name for part in why.parts if part.silent and not _is_muted(why, part.key)]:
        rows.append(WhyRow("not learned yet", dotted(silent)))
    if why.labels:
        rows.append(WhyRow("Your feedback, track by track", title=True))
    rows += [
        WhyRow(f"“{label.title}”", label.verb, label.lead, label.rank_without, label.key, inner=True)
        for label in why.labels
    ]
    if why.other_labels:
        more = f"{why.other_labels} more track{'' if why.other_labels == 1 else 's'}"
        rows.append(WhyRow(more, "", why.other_lead, inner=True))
    if len(why.seeds) > 1:
        rows.append(WhyRow("What the station is based on", title=True))
        rows += [
            WhyRow(
                seed.words,
                _seed_words(seed.shared, nearest=seed.nearest),
                None,
                seed.rank_without,
                seed.key,
                inner=True,
            )
            for seed in why.seeds
        ]
    taken = [muted for muted in why.muted if not muted.key.startswith("part:")]
    if taken:
        rows.append(WhyRow("Ignored on this station", title=True))
        rows += [WhyRow(muted.words, "del: use it again", key=muted.key, inner=True, muted=True) for muted in taken]
    return rows


def _is_muted(why: Why, key: str) -> bool:
    return bool(key) and any(muted.key == key for muted in why.muted)


def _seed_words(shared: str, *, nearest: bool) -> str:
    return shared or ("the nearest" if nearest else "")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Cells of each column."""

    name: int
    bar: int
    words: int

    @staticmethod
    def of(width: int) -> _Columns:
        """The columns of a row of ``width`` cells."""
        name, bar = (30, 21) if width >= _WIDE_FROM else (23, 9)
        return _Columns(name, bar, max(0, width - name - bar - _NUMBER - _WITHOUT - 3 * _GAP))


class WhyColumns(Inked):
    """What the columns of the list below are."""

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        if y:
            return []
        columns = _Columns.of(width - _MARKS)
        heads = (
            (" " + column("effect on score", columns.name + _GAP)),
            column("–".rjust(columns.bar // 2) + " +", columns.bar),
            " " * (_NUMBER + 2 * _GAP),
            column("", columns.words),
            right("without", _WITHOUT),
        )
        return [("".join(heads), Ink.DIM)]


class WhyList(RowList):
    """The reasons."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._rows: list[WhyRow] = []
        self._largest = 0.0

    @property
    def selected(self) -> WhyRow | None:
        """The row at the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def show(self, why: Why | None) -> None:
        """Show other reasons; the cursor stays on its reason."""
        key = self.selected.key if self.selected is not None else ""
        self._rows = [] if why is None else why_rows(why)
        self._largest = max((abs(row.lead) for row in self._rows if row.lead is not None), default=0.0)
        places = {row.key: place for place, row in enumerate(self._rows) if row.key}
        self.set_length(len(self._rows), places.get(key, min(self.cursor, max(len(self._rows) - 1, 0))))

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """One reason."""
        row = self._rows[index]
        if row.title:
            return [(fit(row.name, width), Ink.ACCENT)]
        columns = _Columns.of(width)
        indent = "  " if row.inner else ""
        name_ink = Ink.DIM if row.muted else Ink.STRONG if selected else Ink.TEXT
        name = (column(indent + row.name, columns.name) + " " * _GAP, name_ink)
        without = "" if row.rank_without is None else f"→ {ordinal(row.rank_without)}"
        if row.lead is None:
            room = width - columns.name - 2 * _GAP - _WITHOUT
            return [name, (column(row.words, room) + " " * _GAP, Ink.DIM), (right(without, _WITHOUT), Ink.DIM)]
        return [
            name,
            *leaning(row.lead, self._largest, columns.bar),
            (right(signed(row.lead), _NUMBER) + " " * _GAP, Ink.TEXT),
            (column(row.words, columns.words) + " " * _GAP, Ink.DIM),
            (right(without, _WITHOUT), Ink.DIM),
        ]


def standing(why: Why, row: QueueRow | None = None, *, playing: bool = False) -> str:
    """Where the track stands and how it came there, in one line.

    Args:
        why: the explanation.
        row: of the queue, where the track has one.
        playing: it is the one that plays.
    """
    playing = playing or why.place == 0
    if why.blocked and not why.pinned and not playing:
        place = f"kept out: {why.blocked}"
    elif playing:
        place = "playing"
    else:
        place = "not in the queue" if why.place is None else f"place {why.place}"
    # A track that may not play now, as the one that plays, stands outside those that may.
    parts = [place, f"{ordinal(why.rank)} of {why.eligible:,} by score" if why.rank <= why.eligible else ""]
    if why.pinned:
        parts.append("fixed by album order" if row is not None and row.reason == FOLLOWS else "put there by you")
    elif why.propensity is not None:
        parts.append(f"chance {why.propensity:.1%}")
    return dotted(parts)
