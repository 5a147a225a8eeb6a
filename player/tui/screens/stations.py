"""The station picker: tune in to a station, or grow a new one from a proposal or, in a form, from several seeds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from player.errors import PlayerError
from player.tui.keys import CLOSE_BAR, FORM_BAR, IN_FORM, IN_PICKER, PICKER_BAR
from player.tui.messages import AnswerFound, OpenImport, OpenSurvey, SeedDropped, Tell
from player.tui.screens.picker import MODE_NAMES, NameForm, Picker
from player.tui.text import count, count_if_any, dotted
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar, NoticeLine, PlainLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from player.playback.controller import Controller
    from player.stations.snapshot import StationRow
    from player.tui.messages import RowChosen

Seed: TypeAlias = "tuple[str, str]"
"""Kind and value: ``("genre", "Classical")``; the whole library is ``("library", "")``."""
Suggestion: TypeAlias = "tuple[str, str, int]"
"""Kind, value and how many tracks it has."""
NOT = "not "
SIGNS = (NOT, "more ", "less ")
"""Before the kind of what a station leaves out, and of the tags it is to have more or less of."""
SEED_WORDS = {"query": "saved search"}
"""Kinds of seeds that are not called by their names."""
_PROPOSALS = 8
"""As many as are read at a glance."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A row and what choosing it means; None opens the form for a new station."""

    choice: Choice
    message: Tell | OpenSurvey | OpenImport | None


class StationPicker(Picker):
    """Stations that match what is typed, then ways to make a new one; the selected one can be renamed and deleted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.label, show=False, priority=True) for key in IN_PICKER
    ]

    def __init__(self, player: Controller) -> None:
        super().__init__()
        self._player = player
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

    def renew(self) -> None:
        """Propose stations, where there are none and the library was not read when it was opened."""
        if self.is_mounted and not self._player.stations():
            self._offer(self.query_one(Input).value.strip())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._offer(event.value.strip())

    def on_input_submitted(self) -> None:
        """Enter chooses the row at the cursor."""
        self.action_choose()

    def action_rename(self) -> None:
        """Ask for another name of the selected station."""
        if (station := self._selected) is not None:
            tell = partial(Tell, "rename_station", station.id)
            self.app.push_screen(NameForm("Rename", station.name, station.name, tell))

    def action_change(self) -> None:
        """Open the form of the selected station."""
        if (station := self._selected) is not None:
            self.app.push_screen(StationForm(self._player, station))

    def action_remove(self) -> None:
        """Delete the selected station; that can be taken back."""
        if (station := self._selected) is not None:
            self.app.post_message(Tell("remove_station", station.id))
            self.dismiss(None)

    @property
    def _selected(self) -> StationRow | None:
        message = self._offers[self.query_one(ChoiceList).cursor].message
        if not isinstance(message, Tell) or message.operation != "open_station":
            return None
        return next((row for row in self._player.stations() if row.id == message.arguments[0]), None)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Do what the row offers."""
        message.stop()
        offered = self._offers[message.index].message
        if offered is not None:
            self.app.post_message(offered)
        else:
            self.app.push_screen(StationForm(self._player))

    def _offer(self, text: str) -> None:
        stations = [row for row in self._player.stations() if _matches(row, text)]
        proposals = [] if stations and not text else self._player.seed_suggestions(text)[:_PROPOSALS]
        self._offers = [
            *(_open(row) for row in stations),
            *(_grow(proposal) for proposal in proposals),
            _Offer(Choice("+", "New station …", "mix artists, genres, moods", ""), None),
        ]
        # Someone new sees the survey first, but enter still means music.
        new = not text and self._player.survey_waits()
        self._offers.insert(0 if new else len(self._offers), _ask(new=new))
        if new:
            self._offers.append(_Offer(Choice("<", "Import …", "your history from another player", ""), OpenImport()))
        self.query_one(ChoiceList).show([offer.choice for offer in self._offers], int(new))


def _matches(row: StationRow, text: str) -> bool:
    words = f"{row.name} {row.seeds}".casefold()
    return all(word in words for word in text.casefold().split())


def _open(row: StationRow) -> _Offer:
    thumbs = f"▲{row.thumbs_up} ▼{row.thumbs_down}" if row.thumbs_up or row.thumbs_down else ""
    mode = "" if row.mode == "station" else MODE_NAMES[row.mode][0].lower()
    return _Offer(Choice("", row.name, dotted((mode, row.seeds)), thumbs), Tell("open_station", row.id))


def _ask(*, new: bool) -> _Offer:
    detail = "new here? like or dislike" if new else "like or dislike clips"
    return _Offer(Choice("?", "Survey …", detail, ""), OpenSurvey())


def _grow(proposal: Suggestion) -> _Offer:
    kind, value, tracks = proposal
    name = value or "Everything"
    detail = f"new station, {SEED_WORDS.get(kind, kind)}" if value else "new station, whole library"
    return _Offer(
        Choice("+", name, detail, count_if_any(tracks, "track")), Tell("play_new_station", name, ((kind, value),))
    )


class SeedInput(Input):
    """A search in which backspace, when it is empty, takes back the last seed."""

    def action_delete_left(self) -> None:
        """Delete a letter, or drop a seed."""
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(SeedDropped())


class StationForm(Picker):
    """What a station is based on and what it leaves out; the name follows from that and can be changed.

    Args:
        player: who makes or changes it.
        station: the one to change; a new one when absent.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.label, show=False, priority=True) for key in IN_FORM
    ]
    AUTO_FOCUS = "#seek"

    def __init__(self, player: Controller, station: StationRow | None = None) -> None:
        super().__init__()
        self._player, self._station = player, station
        self._seeds = [] if station is None else player.station_seeds(station.id)
        self._suggestions: list[Suggestion] = []
        self._mode = next(iter(MODE_NAMES)) if station is None else station.mode

    def compose(self) -> ComposeResult:
        """A box: seeds, mode, search, suggestions, name."""
        with Vertical(classes="box"):
            yield Heading(id="heading")
            yield PlainLine(id="seeds")
            yield PlainLine(id="leanings")
            yield PlainLine(id="mode")
            yield SeedInput(placeholder="find an artist, album, genre or mood", compact=True, id="seek")
            yield ChoiceList(id="choices")
            yield Input(
                "" if self._station is None else self._station.name, placeholder="name", compact=True, id="name"
            )
            yield NoticeLine(id="notice")
            yield KeyBar(FORM_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """Proposals before anything is typed."""
        self._suggest("")
        self._show_seeds()
        self._show_mode()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Suggest as one types."""
        if event.input.id == "seek":
            self._suggest(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter adds a seed, or in the name makes the station."""
        if event.input.id == "seek":
            self.action_choose()
        else:
            self.action_create()

    def on_row_chosen(self, message: RowChosen) -> None:
        """Add the row as a seed."""
        message.stop()
        self._add(message.index)

    def action_leave_out(self) -> None:
        """Add the row as what the station is not to play."""
        if self._suggestions:
            self._add(self.query_one(ChoiceList).cursor, NOT)

    def _add(self, index: int, sign: str = "") -> None:
        kind, value, _ = self._suggestions[index]
        self._seeds = [seed for seed in self._seeds if seed not in {(kind, value), (NOT + kind, value)}]
        self._seeds.append((sign + kind, value))
        self.query_one("#seek", Input).value = ""
        self._show_seeds()

    def on_seed_dropped(self) -> None:
        """Take the last seed back."""
        self._seeds = self._seeds[:-1]
        self._show_seeds()

    def action_turn_mode(self) -> None:
        """Let the station play in the next mode."""
        names = list(MODE_NAMES)
        self._mode = names[(names.index(self._mode) + 1) % len(names)]
        self._show_mode()

    def action_create(self) -> None:
        """Make the station, if there is something to make it from."""
        if all(kind.startswith(SIGNS) for kind, _ in self._seeds):
            self.query_one(NoticeLine).show(
                "Choose at least one thing to base it on: type, then press enter on a row.", problem=True
            )
            return
        name = self.query_one("#name", Input).value.strip() or self._proposed_name()
        made = (name, tuple(self._seeds), self._mode)
        if self._station is None:
            self.app.post_message(Tell("play_new_station", *made))
        else:
            self.app.post_message(Tell("change_station", self._station.id, *made))

    def _suggest(self, text: str) -> None:
        self._suggestions = self._player.seed_suggestions(text)
        self.query_one(ChoiceList).show(
            [
                Choice("+", value or "Everything", kind, count_if_any(tracks, "track"))
                for kind, value, tracks in self._suggestions
            ]
        )

    def _show_seeds(self) -> None:
        leanings = [seed for seed in self._seeds if seed[0].startswith(SIGNS)]
        seeds = [seed for seed in self._seeds if seed not in leanings]
        for line, label, some, ink, hint in (
            ("#seeds", "based on    ", seeds, Ink.ACCENT, "nothing yet – enter adds the selected row"),
            ("#leanings", "leaves out  ", leanings, Ink.BAD, "nothing – ^n leaves the selected row out"),
        ):
            words = " + ".join(_words(*seed) for seed in some)
            self.query_one(line, PlainLine).show(label, words or hint, ink if words else Ink.DIM)
        self.query_one("#name", Input).placeholder = f"name: {self._proposed_name()}" if seeds else "name"
        self._show_pool("")
        if seeds:
            asked = tuple(self._seeds)
            pool = partial(self._player.station_pool, asked)
            self.run_worker(partial(self._count_pool, asked, pool), group="pool", exclusive=True, thread=True)

    def _count_pool(self, asked: tuple[Seed, ...], pool: Callable[[], int]) -> None:
        with suppress(PlayerError):  # the library is still being opened
            self.post_message(AnswerFound(asked, pool()))

    def on_answer_found(self, message: AnswerFound) -> None:
        """Say how many tracks it would choose from."""
        if message.asked == tuple(self._seeds):
            self._show_pool(f"chooses from {count(message.answer, 'track')}")

    def _show_pool(self, words: str) -> None:
        self.query_one(Heading).show("New station" if self._station is None else "Change a station", "", words)

    def _show_mode(self) -> None:
        name, detail = MODE_NAMES[self._mode]
        self.query_one("#mode", PlainLine).show("plays       ", f"{name.lower()}: {detail}", Ink.TEXT)

    def _proposed_name(self) -> str:
        return " + ".join(value or "Everything" for kind, value in self._seeds if not kind.startswith(SIGNS))


def _words(kind: str, value: str) -> str:
    """A seed as it reads after the name of its line: what is left out needs no "not" there."""
    return f"{kind.removeprefix(NOT)} {value}" if value else "the whole library"
