"""The station picker: tune in to a station, or grow a new one from a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Input

from player.tui.keys import CLOSE_BAR, PICKER_BAR
from player.tui.messages import CreateStation, OpenStation, OpenSurvey
from player.tui.screens.mode import MODE_NAMES
from player.tui.screens.new_station import NewStation
from player.tui.screens.picker import Picker
from player.tui.text import count_if_any, dotted
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar, NoticeLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.stations.snapshot import StationRow
    from player.tui.messages import RowChosen
    from player.tui.port import PlayerPort, Suggestion

SEED_WORDS = {"query": "saved search"}
"""Kinds of seeds that are not called by their names."""
_PROPOSALS = 8
"""As many as are read at a glance."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A row and what choosing it means; None opens the form for a new station."""

    choice: Choice
    message: OpenStation | CreateStation | OpenSurvey | None


class StationPicker(Picker):
    """Stations that match what is typed, then ways to make a new one."""

    def __init__(self, port: PlayerPort) -> None:
        super().__init__()
        self._port = port
        self._offers: list[_Offer] = []

    def compose(self) -> ComposeResult:
        """A box with a filter and a list."""
        with Vertical(classes="box"):
            yield Heading(id="heading")
            yield Input(placeholder="type to filter, or to find an artist, album, genre or mood", compact=True)
            yield ChoiceList(id="choices")
            yield NoticeLine(id="notice")
            yield KeyBar(PICKER_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """Everything there is, before anything is typed."""
        self.query_one(Heading).show("Stations")
        self._offer("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._offer(event.value.strip())

    def on_input_submitted(self) -> None:
        """Enter chooses the row at the cursor."""
        self.action_choose()

    def on_row_chosen(self, message: RowChosen) -> None:
        """Do what the row offers."""
        message.stop()
        offered = self._offers[message.index].message
        if offered is not None:
            self.app.post_message(offered)
        else:
            self.app.push_screen(NewStation(self._port))

    def _offer(self, text: str) -> None:
        stations = [row for row in self._port.stations() if _matches(row, text)]
        proposals = [] if stations and not text else self._port.seed_suggestions(text)[:_PROPOSALS]
        self._offers = [
            *(_open(row) for row in stations),
            *(_grow(proposal) for proposal in proposals),
            _Offer(Choice("+", "New station …", "mix artists, genres, moods", ""), None),
        ]
        # Someone new sees the survey first, but enter still means music.
        new = not text and self._port.survey_waits()
        self._offers.insert(0 if new else len(self._offers), _ask(new=new))
        self.query_one(ChoiceList).show([offer.choice for offer in self._offers], int(new))


def _matches(row: StationRow, text: str) -> bool:
    words = f"{row.name} {row.seeds}".casefold()
    return all(word in words for word in text.casefold().split())


def _open(row: StationRow) -> _Offer:
    thumbs = f"▲{row.thumbs_up} ▼{row.thumbs_down}" if row.thumbs_up or row.thumbs_down else ""
    mode = "" if row.mode == "station" else MODE_NAMES[row.mode][0].lower()
    return _Offer(Choice("", row.name, dotted((mode, row.seeds)), thumbs), OpenStation(row.id))


def _ask(*, new: bool) -> _Offer:
    detail = "new here? like or dislike" if new else "like or dislike clips"
    return _Offer(Choice("?", "Survey …", detail, ""), OpenSurvey())


def _grow(proposal: Suggestion) -> _Offer:
    kind, value, tracks = proposal
    name = value or "Everything"
    detail = f"new station, {SEED_WORDS.get(kind, kind)}" if value else "new station, whole library"
    return _Offer(Choice("+", name, detail, count_if_any(tracks, "track")), CreateStation(name, ((kind, value),)))
