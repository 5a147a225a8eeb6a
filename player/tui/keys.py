"""The keys, once: bindings, the key bar and the help page are all made from these tables.

A key that asks the player for something names the player's method and its arguments: ``tell`` of the playing track or of no
track, ``tell_row`` of the track that the screen is about or its cursor is on. ``ask`` and ``ask_row`` open a screen with what
the player answers about a track. Every other action is the screen's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Key:
    """One thing the listener can press."""

    keys: str
    """Textual's key names, with commas between those that do the same."""
    action: str
    """Of Textual: a method ``action_…`` of the app, or of what the key belongs to, and its arguments."""
    shown: str
    """The key as printed on screen."""
    label: str
    """One word for the key bar."""
    help: str
    """What it does, for the help page."""

    def binding(self) -> Binding:
        """The binding; shown by the key bar, not by Textual's footer."""
        return Binding(self.keys, self.action, self.label, show=False, key_display=self.shown, id=NAME_OF.get(self))


def bindings(keys: Iterable[Key]) -> list[Binding]:
    """Bindings for a class's ``BINDINGS``."""
    return [key.binding() for key in keys]


PAUSE = Key("space", "app.tell('toggle_pause')", "space", "pause", "Pause, or go on.")
NEXT = Key("n", "app.tell('next')", "n", "skip", "Skip to the next track; early skips teach the station.")
PREVIOUS = Key("p", "app.tell('previous')", "p", "previous", "Back to the track before.")
UP = Key(
    "plus,equals_sign", "app.tell('thumb', 1)", "+", "like", "Thumb up the playing track; again takes the thumb back."
)
DOWN = Key(
    "minus",
    "app.tell('thumb', -1)",
    "-",
    "dislike",
    "Thumb down: the track leaves this station and the next one plays.",
)
UNDO = Key("z", "app.tell('undo')", "z", "undo", "Take back the last thumb, skip, not-now or never of this session.")
BACK = Key("left", "app.tell('seek_by', -5)", "←", "−5 s", "Back 5 seconds.")
ON = Key("right", "app.tell('seek_by', 5)", "→", "+5 s", "On 5 seconds.")
FAR_BACK = Key("shift+left", "app.tell('seek_by', -30)", "shift+←", "−30 s", "Back 30 seconds.")
FAR_ON = Key("shift+right", "app.tell('seek_by', 30)", "shift+→", "+30 s", "On 30 seconds.")
QUIETER = Key("left_square_bracket", "volume(-5)", "[", "quieter", "Quieter by 5 %.")
LOUDER = Key("right_square_bracket", "volume(5)", "]", "louder", "Louder by 5 %.")
NOT_NOW = Key(
    "x", "app.tell('not_now')", "x", "not now", "Not now: rest the playing track for a while. No verdict on it."
)
NEVER = Key("X,shift+x", "app.tell('never')", "X", "never", "Never play this track again, on any station.")
REPLAY = Key("R,shift+r", "app.tell('replay')", "R", "replay", "Once more from the start – a strong sign of liking.")
REST = Key("y", "rest", "y", "rest", "Rest the playing track for an hour, a day or 30 days.")
UP_EVERYWHERE = Key(
    "U,shift+u",
    "app.tell('thumb_everywhere', 1)",
    "U",
    "like everywhere",
    "Thumb up the playing track for all stations.",
)
DOWN_EVERYWHERE = Key(
    "D,shift+d",
    "app.tell('thumb_everywhere', -1)",
    "D",
    "dislike everywhere",
    "Thumb down the playing track for all stations.",
)
SLEEP = Key(
    "t", "app.tell('turn_sleep_timer')", "t", "sleep", "Sleep timer: 15, 30 or 60 minutes, the end of this track, off."
)
PRIVATE = Key(
    "f6",
    "app.tell('private')",
    "F6",
    "private",
    "A private session, or its end: music plays and reorders, and nothing is learned.",
)
STOP_AFTER = Key("T,shift+t", "app.tell('stop_after_track')", "T", "stop after", "Stop after this track, or go on.")
CANCEL_SLEEP = Key("escape", "app.tell('cancel_sleep_timer')", "esc", "no sleep", "Take the sleep timer back.")
MUTE = Key("exclamation_mark", "app.tell('toggle_mute')", "!", "mute", "Mute, or be heard again.")
BALANCE_LEFT = Key("left_curly_bracket", "app.tell('turn_balance', -0.1)", "{", "left", "Balance to the left.")
BALANCE_RIGHT = Key("right_curly_bracket", "app.tell('turn_balance', 0.1)", "}", "right", "Balance to the right.")
SLOWER = Key("f7", "app.tell('turn_speed', -0.1)", "F7", "slower", "Slower, down to half; the pitch stays.")
FASTER = Key("f8", "app.tell('turn_speed', 0.1)", "F8", "faster", "Faster, up to double; the pitch stays.")
PART = Key(
    "asterisk", "app.tell('repeat_part')", "*", "repeat", "Repeat a part: at its beginning, at its end, to go on."
)
DEVICE = Key("f4", "app.tell('turn_device')", "F4", "output", "The next output device; the music plays on.")
WHY = Key(
    "W,shift+w",
    "app.ask('why')",
    "W",
    "why",
    "Why this track plays: every part of its score, and which of them to ignore.",
)
STORY = Key(
    "I,shift+i", "app.ask('story')", "I", "story", "All there is to know about the playing track, and corrections."
)
DIAL_DOWN = Key(
    "comma,less_than_sign",
    "app.tell('turn_dial', -10)",
    ",",
    "familiar",
    "Turn the station's dial towards what you know.",
)
DIAL_UP = Key(
    "full_stop,greater_than_sign",
    "app.tell('turn_dial', 10)",
    ".",
    "discover",
    "Turn the dial towards what you do not know yet.",
)
MODE = Key("v", "mode", "v", "mode", "How the station plays: on and on, album by album, rediscovering, new arrivals.")
MORE_LIKE = Key(
    "M,shift+m", "app.tell('more_like')", "M", "more like", "More like the playing track: a station based on it."
)
BEFORE = Key("b", "app.tell('back')", "b", "back", "Back to the station before; the music plays on.")
STATIONS = Key("s", "stations", "s", "stations", "Pick a station, or make a new one.")
LIBRARY = Key(
    "l", "library", "l", "library", "The library by artist, genre, year, folder or age, then album, then track."
)
PLAYLISTS = Key("f3", "playlists", "F3", "playlists", "Your playlists and the searches you saved.")
INSIGHTS = Key(
    "H,shift+h",
    "insights",
    "H",
    "insights",
    "What you heard, like and dislike; a calendar; the log, and taking from it back.",
)
SETTINGS = Key("f2", "settings", "F2", "settings", "Every setting with its meaning, to be changed here.")
NOW = Key("c", "now", "c", "cover", "The playing track alone: cover, lyrics, and why it plays.")
ALL_TRACKS = Key("L,shift+l", "all_tracks", "L", "all tracks", "All tracks in one list, sorted as you like.")
ALBUM = Key("O,shift+o", "app.tell_row('play_album')", "O", "album", "Play the album of the selected track, in order.")
SEARCH = Key("slash", "search", "/", "search", "Search the library as you type.")
MAP = Key("m", "map", "m", "map", "The library as a map: tracks that sound alike lie side by side.")
SIMILAR = Key("F,shift+f", "app.ask('similar')", "F", "similar", "Tracks that sound like the playing one.")
SURVEY = Key(
    "S,shift+s", "survey", "S", "survey", "The survey: short clips, like or dislike, so that stations know your taste."
)
RETRAIN = Key("r", "job('retrain')", "r", "retrain", "Learn from all your feedback so far, while the music plays.")
EMBED = Key(
    "e", "job('embed')", "e", "analyse", "Analyse the sound of new tracks, so that stations can find them by it."
)
ADD_MUSIC = Key("f9", "add_music", "F9", "add music", "Add a folder of music to the library.")
IMPORT = Key("C,shift+c", "import_history", "C", "import", "Bring your history along from another player.")
SCAN = Key("f5", "job('scan')", "F5", "rescan", "Look through the music folders for new, changed and vanished files.")
PAUSE_JOB = Key(
    "P,shift+p", "pause_job", "P", "pause", "Pause the analysis and leave the machine alone; again goes on."
)
STOP_JOB = Key("ctrl+x", "stop_job", "^x", "stop", "Stop the scan, analysis or training that runs; it asks first.")
FIGURES = Key("f12", "figures", "F12", "figures", "Show the figures behind the words: scores, chances, milliseconds.")
PALETTE = Key("colon,ctrl+p", "command_palette", ":", "commands", "Every command by its name, as you type.")
HELP = Key("question_mark", "help", "?", "help", "This page.")
QUIT = Key("q", "quit", "q", "quit", "Stop the music and leave; it resumes here next time.")

PLAYING = (
    PAUSE, NEXT, PREVIOUS, UP, DOWN, UNDO, WHY, STORY, UP_EVERYWHERE, DOWN_EVERYWHERE, REPLAY, NOT_NOW, REST, NEVER, SLEEP, PRIVATE,
    BACK, ON, FAR_BACK, FAR_ON, QUIETER, LOUDER,
    STOP_AFTER, CANCEL_SLEEP, MUTE, BALANCE_LEFT, BALANCE_RIGHT, SLOWER, FASTER, PART, DEVICE,
)  # fmt: skip
PLACES = (
    STATIONS,
    NOW,
    INSIGHTS,
    SETTINGS,
    LIBRARY,
    PLAYLISTS,
    ALL_TRACKS,
    SEARCH,
    MAP,
    SIMILAR,
    SURVEY,
    RETRAIN,
    EMBED,
    ADD_MUSIC,
    IMPORT,
    SCAN,
    PAUSE_JOB,
    STOP_JOB,
    PALETTE,
    HELP,
    QUIT,
)
STATION = (DIAL_DOWN, DIAL_UP, MODE, MORE_LIKE, BEFORE)

PLAY_ROW = Key("enter", "choose", "enter", "play", "Play the selected row now, chosen by hand.")
ROW_UP = Key("u", "app.tell_row('thumb', 1)", "u", "like", "Thumb up the selected track.")
ROW_DOWN = Key(
    "d", "app.tell_row('thumb', -1)", "d", "dislike", "Thumb down the selected track; it leaves the station."
)
ROW_REST = Key("delete,backspace", "app.tell_row('not_now')", "del", "rest row", "Not now, for the selected row.")
ROW_SIMILAR = Key("f", "app.ask_row('similar')", "f", "similar", "Tracks that sound like the selected one.")
ROW_WHY = Key(
    "w", "app.ask_row('why')", "w", "why", "Why the selected track is where it is, and which reasons to ignore."
)
ROW_STORY = Key("i", "app.ask_row('story')", "i", "story", "All there is to know about the selected track.")
PIN_NEXT = Key("N,shift+n", "app.tell_row('pin_next')", "N", "next", "Play the selected track next.")
PIN_LAST = Key(
    "A,shift+a",
    "app.tell_row('pin_last')",
    "A",
    "pin",
    "Pin the selected track behind the other pins; again takes it off.",
)
PIN_UP = Key("K,shift+k,shift+up", "app.tell_row('move_pin', -1)", "K", "pin up", "Move the selected pin up.")
PIN_DOWN = Key("J,shift+j,shift+down", "app.tell_row('move_pin', 1)", "J", "pin down", "Move the selected pin down.")
GROW = Key("a", "app.tell_row('more_like')", "a", "station", "More like the selected track: a station based on it.")
EXCLUDE = Key(
    "E,shift+e",
    "app.tell_row('never')",
    "E",
    "exclude",
    "Never play the selected track, on any station; z takes it back.",
)
KEEP = Key("B,shift+b", "app.keep", "B", "to playlist", "Put what is selected into a playlist, or begin one with it.")
ROW = (PIN_NEXT, PIN_LAST, ALBUM, GROW, KEEP, ROW_UP, ROW_DOWN, EXCLUDE, ROW_SIMILAR, ROW_WHY, ROW_STORY)
"""What can be done with a selected track, wherever it is."""
QUEUE = (PIN_UP, PIN_DOWN, ROW_REST)
ON_STATION = (FIGURES,)

ORDER = Key("o", "order", "o", "order", "Sort by the next column; a click on the name of one sorts by it.")
LEAVE = Key("escape", "leave", "esc", "back", "Clear the search, then back to the station.")
BACKWARDS = Key("ctrl+o", "backwards", "^o", "turn round", "Sort the other way round.")
SAVE_SEARCH = Key(
    "ctrl+s", "save_search", "^s", "save search", "Keep the search as a playlist that is always up to date."
)
IN_LIBRARY = (ORDER, BACKWARDS, SAVE_SEARCH, LEAVE)

LEAVE_NOW = Key("escape,c", "leave", "esc", "back", "Back to where you came from.")
IN_NOW = (LEAVE_NOW,)
PLAY_SELECTED = Key("enter", "choose", "enter", "play", "Play it in order: a group, an album, or from the track on.")
QUEUE_SELECTED = Key("A,shift+a", "queue", "A", "pin", "Pin the selected track, album or group behind the other pins.")
STATION_OF = Key("a", "station", "a", "station", "A station based on what is selected.")
KIND = Key("v", "kind", "v", "by …", "Begin with the next of artists, genres, years, folders and what came lately.")
BY_ARTIST = Key("1", "kind(0)", "1", "artist", "The library by artist.")
BY_GENRE = Key("2", "kind(1)", "2", "genre", "The library by genre.")
BY_YEAR = Key("3", "kind(2)", "3", "year", "The library by year, the newest first.")
BY_FOLDER = Key("4", "kind(3)", "4", "folder", "The library by folder.")
BY_AGE = Key("5", "kind(4)", "5", "recently added", "The library by when it came, the newest first.")
KINDS = (BY_ARTIST, BY_GENRE, BY_YEAR, BY_FOLDER, BY_AGE)
COLUMN = Key("right", "column(1)", "←/→", "column", "To the column beside.")
IN_BROWSE = (QUEUE_SELECTED, STATION_OF, KIND, *KINDS, ORDER, BACKWARDS, SAVE_SEARCH, LEAVE)
TAKE_OUT = Key(
    "delete,backspace", "take_out", "del", "take out", "Take the selected track out of the playlist; z brings it back."
)
RENAME_LIST = Key("ctrl+r", "rename", "^r", "rename", "Give the selected playlist another name.")
REMOVE_LIST = Key("ctrl+d", "remove", "^d", "delete", "Delete the selected playlist; z brings it back.")
IN_PLAYLISTS = (ORDER, BACKWARDS, TAKE_OUT, RENAME_LIST, REMOVE_LIST, QUEUE_SELECTED, STATION_OF, LEAVE)
STEP_BACK = Key("escape", "leave", "esc", "back", "Back to the track before, at last to where you came from.")
IN_SIMILAR = (STEP_BACK,)

COLOUR = Key("c", "colour", "c", "colour", "Colour by genre, by thumbs, or by the station's score.")
GROUP = Key("g", "group", "g", "group", "Show one group after the other by itself, then all again.")
ZOOM_IN = Key("plus,equals_sign", "zoom(1)", "+", "closer", "Closer, around the cursor.")
ZOOM_OUT = Key("minus", "zoom(-1)", "-", "wider", "Wider.")
ZOOM = Key("plus", "zoom(1)", "+/-", "zoom", "Closer and wider.")
"""Both keys in one for the bar; a click goes closer."""
WHOLE = Key("0", "whole", "0", "all", "The whole map.")
TO_PLAYING = Key("home", "to_playing", "home", "playing", "The cursor to the playing track.")
SAME_PLACE = Key("tab", "same_place", "tab", "next here", "The next track in the same place.")
LEAVE_MAP = Key("escape", "leave", "esc", "back", "Back to where you came from.")
ON_MAP = (COLOUR, GROUP, ZOOM_IN, ZOOM_OUT, WHOLE, TO_PLAYING, SAME_PLACE, LEAVE_MAP)
TO_TRACK = Key("down", "towards(0, 1)", "←↑↓→", "move", "The cursor to the nearest track in that direction.")
"""All four in one for the bar and the help page."""

LIKE_CLIP = Key("l,plus,equals_sign", "answer('like')", "l", "like", "You like it. The next clip plays.")
DISLIKE_CLIP = Key("d,minus", "answer('dislike')", "d", "dislike", "You do not like it.")
SKIP_CLIP = Key("s,n", "answer('skip')", "s", "skip", "You cannot say; it is not asked again.")
AGAIN = Key("space,R,shift+r", "again", "space", "again", "Hear the clip again.")
UNDO_ANSWER = Key("z,u", "undo", "z", "undo", "Take the last answer back and hear its clip again.")
MORE_CLIPS = Key("m", "more", "m", "more", "At the end: as many clips again.")
LEAVE_SURVEY = Key("q,escape", "leave", "q", "stop", "Stop. What you answered is kept; S goes on where you stopped.")
IN_SURVEY = (
    LIKE_CLIP, DISLIKE_CLIP, SKIP_CLIP, AGAIN, UNDO_ANSWER, MORE_CLIPS, QUIETER, LOUDER, LEAVE_SURVEY,
)  # fmt: skip

LESS = Key(
    "delete,backspace",
    "less",
    "del",
    "ignore this reason",
    "Ignore the selected reason on this station; again, use it again.",
)
LEAVE_PANEL = Key("escape", "leave", "esc", "back", "Back to where you came from.")
IN_WHY = (LESS, LEAVE_PANEL)
CORRECT = Key(
    "delete,backspace", "correct", "del", "take back", "Take the selected thumb, ban, rest, reason or event back."
)
CHANGE = Key("enter", "choose", "enter", "change", "Write another value for the selected setting; enter keeps it.")
LEAVE_SETTINGS = Key("escape,f2", "leave", "esc", "back", "Back to where you came from.")
IN_SETTINGS = (LEAVE_SETTINGS,)
TAKE_BACK = Key("delete,backspace", "correct", "del", "take back", "Take the selected event back.")
LEAVE_INSIGHTS = Key("escape,H,shift+h", "leave", "esc", "back", "Back to where you came from.")
IN_INSIGHTS = (TAKE_BACK, LEAVE_INSIGHTS)
THIS_UP_EVERYWHERE = Key(
    "U,shift+u", "app.tell_row('thumb_everywhere', 1)", "U", "like everywhere", "Thumb it up for all stations."
)
THIS_DOWN_EVERYWHERE = Key(
    "D,shift+d", "app.tell_row('thumb_everywhere', -1)", "D", "dislike everywhere", "Thumb it down for all stations."
)
THIS_REST = Key("y", "app.rest_row", "y", "rest", "Rest it for an hour, a day or 30 days.")
THIS_NEVER = Key("X,shift+x", "app.tell_row('never')", "X", "never", "Never play it again, on any station.")
IN_STORY = (
    CORRECT, THIS_UP_EVERYWHERE, THIS_DOWN_EVERYWHERE, THIS_REST, THIS_NEVER, LEAVE_PANEL,
)  # fmt: skip

SEEK = Key("right", "app.tell('seek_by', 5)", "←/→", "seek", "Back and on.")
"""Both keys in one for the bar; a click goes on."""
DIAL = Key("full_stop", "app.tell('turn_dial', 10)", ",/.", "dial", "The dial each way.")
"""Both keys in one for the bar; a click goes towards discovery."""
MAIN_BAR = (
    PAUSE, NEXT, UP, DOWN, UNDO, ROW_WHY, PREVIOUS, NOT_NOW, SEEK,
    STATIONS, LIBRARY, SEARCH, RETRAIN, DIAL, MODE, MORE_LIKE, PIN_LAST, MAP, SIMILAR, NEVER, REPLAY, QUIETER, LOUDER, SURVEY,
)  # fmt: skip
"""In order of worth: the bar shows as many as fit, then help and quit."""
SETTINGS_BAR = (CHANGE, LEAVE_SETTINGS, PAUSE, NEXT)
INSIGHTS_BAR = (TAKE_BACK, PLAY_ROW, LEAVE_INSIGHTS, PAUSE, NEXT, UP, DOWN, UNDO, STATIONS, LIBRARY)
NOW_BAR = (LEAVE_NOW, PAUSE, NEXT, UP, DOWN, UNDO, WHY, STORY, PREVIOUS, SEEK, NOT_NOW, MORE_LIKE)
BROWSE_BAR = (
    PLAY_SELECTED,
    COLUMN,
    SEARCH,
    KIND,
    QUEUE_SELECTED,
    STATION_OF,
    LEAVE,
    ORDER,
    PIN_NEXT,
    KEEP,
    ROW_STORY,
    PLAYLISTS,
    PAUSE,
    NEXT,
    UP,
    DOWN,
    STATIONS,
)
PLAYLISTS_BAR = (
    PLAY_SELECTED, COLUMN, QUEUE_SELECTED, STATION_OF, LEAVE, TAKE_OUT, RENAME_LIST, REMOVE_LIST, UNDO, SEARCH, PAUSE, NEXT, LIBRARY,
)  # fmt: skip
LIBRARY_BAR = (
    PLAY_ROW,
    PIN_NEXT,
    PIN_LAST,
    ROW_SIMILAR,
    GROW,
    SEARCH,
    ORDER,
    LEAVE,
    PAUSE,
    NEXT,
    UP,
    DOWN,
    UNDO,
    STATIONS,
)
SIMILAR_BAR = (
    PLAY_ROW,
    PIN_NEXT,
    PIN_LAST,
    ROW_SIMILAR,
    GROW,
    STEP_BACK,
    PAUSE,
    NEXT,
    UP,
    DOWN,
    UNDO,
    MAP,
    LIBRARY,
    STATIONS,
)
MAP_BAR = (
    TO_TRACK, PLAY_ROW, ROW_SIMILAR, COLOUR, ZOOM, LEAVE_MAP,
    GROUP, TO_PLAYING, WHOLE, GROW, ROW_UP, ROW_DOWN, PAUSE, NEXT, STATIONS, LIBRARY,
)  # fmt: skip
SURVEY_BAR = (LIKE_CLIP, DISLIKE_CLIP, SKIP_CLIP, AGAIN, UNDO_ANSWER, LEAVE_SURVEY, QUIETER, LOUDER)
SURVEY_END_BAR = (LEAVE_SURVEY, MORE_CLIPS, UNDO_ANSWER)
WHY_BAR = (LESS, UNDO, ROW_STORY, LEAVE_PANEL, PAUSE, NEXT, UP, DOWN)
STORY_BAR = (
    CORRECT, ROW_WHY, LEAVE_PANEL, ROW_UP, ROW_DOWN, THIS_REST, THIS_NEVER, THIS_UP_EVERYWHERE, THIS_DOWN_EVERYWHERE,
    PAUSE, NEXT,
)  # fmt: skip
ALWAYS_BAR = (HELP, QUIT)
NO_BAR = ()
"""Where neither help nor quitting is a key."""

CLOSE = Key("escape", "leave", "esc", "back", "Back.")
_CHOOSE = Key("enter", "choose", "enter", "tune in", "Tune in to the selected station, or make it.")
_MOVE = Key("up,down", "move", "↑↓", "select", "Move the cursor.")
_ADD = Key("enter", "choose", "enter", "add", "Add the selected row.")
_DROP = Key("backspace", "drop", "⌫", "remove", "Take the last one out again.")
_NAME = Key("tab", "app.focus_next", "tab", "name", "To the name.")
LEAVE_OUT = Key("ctrl+n", "leave_out", "^n", "leave out", "Never play the selected row on this station.")
TURN_MODE = Key("ctrl+o", "turn_mode", "^o", "mode", "The next mode for it to play in.")
CREATE = Key("ctrl+s", "create", "^s", "keep", "Make the station, or keep the change.")
IN_FORM = (LEAVE_OUT, TURN_MODE, CREATE)
_SCROLL = Key("up,down", "scroll", "↑↓", "scroll", "Scroll.")
_SET = Key("enter", "choose", "enter", "play so", "Let the station play so.")
_REST = Key("enter", "choose", "enter", "rest", "Rest the track for so long.")
_YES = Key("enter", "choose", "enter", "choose", "Do what the row says.")
_NAMED = Key("enter", "submit", "enter", "keep", "Keep the name.")
NAME_BAR = (_NAMED,)
_PUT = Key("enter", "choose", "enter", "add", "Add to the selected playlist.")
KEEP_BAR = (_MOVE, _PUT)
_LOOK = Key("enter", "choose", "enter", "add", "Look through the selected folder.")
COMPLETE = Key("tab", "complete", "tab", "into it", "Write the selected folder into the line and list what is in it.")
IN_ADD = (COMPLETE,)
ADD_BAR = (_MOVE, _LOOK, COMPLETE)
CONFIRM_BAR = (_MOVE, _YES)
RENAME = Key("ctrl+r", "rename", "^r", "rename", "Give the selected station another name.")
REMOVE = Key("ctrl+d", "remove", "^d", "delete", "Delete the selected station; z brings it back.")
CHANGE_STATION = Key("ctrl+e", "change", "^e", "change", "Change what the selected station is based on and leaves out.")
IN_PICKER = (CHANGE_STATION, RENAME, REMOVE)
_SOURCE = Key("enter", "choose", "enter", "choose", "Choose where the history comes from.")
SOURCE_BAR = (_MOVE, _SOURCE)
REST_BAR = (_MOVE, _REST)
MODE_BAR = (_MOVE, _SET)
PICKER_BAR = (_MOVE, _CHOOSE, CHANGE_STATION, RENAME, REMOVE)
FORM_BAR = (_ADD, LEAVE_OUT, _DROP, _NAME, TURN_MODE, CREATE)
HELP_BAR = (_SCROLL,)
CLOSE_BAR = (CLOSE,)

NAMED = {name.lower(): key for name, key in tuple(globals().items()) if isinstance(key, Key) and name[0] != "_"}
"""Every key by the name that the listener's settings use."""
NAME_OF = {key: name for name, key in reversed(NAMED.items())}
_EVERYWHERE = (*PLAYING, *STATION, *PLACES, *ROW)
_TOGETHER = (
    (*_EVERYWHERE, *QUEUE, *ON_STATION), (*_EVERYWHERE, *IN_LIBRARY), (*_EVERYWHERE, *IN_BROWSE), (*_EVERYWHERE, *IN_PLAYLISTS),
    (*_EVERYWHERE, *IN_SIMILAR),
    (*_EVERYWHERE, *ON_MAP), (*_EVERYWHERE, *IN_WHY), (*_EVERYWHERE, *IN_STORY), (*_EVERYWHERE, *IN_NOW), (*_EVERYWHERE, *IN_INSIGHTS), (*_EVERYWHERE, *IN_SETTINGS), IN_SURVEY,
)  # fmt: skip
"""Keys that can be pressed on one screen."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """The listener's own keys, in place of the built-in ones.

    Attributes:
        own: name of a key → Textual's names of the keys that do it, with commas between them.
        problems: what is wrong in the settings, one sentence each.
    """

    own: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()

    @staticmethod
    def of(settings: Mapping[str, str]) -> Keymap:
        """The keys as the settings have them; a name that is none is told and left out, a clash is told and kept."""
        problems = [
            f"keys.{name} is no action; docs/guide/keys.md lists them." for name in settings if name not in NAMED
        ]
        own = {name: keys.replace(" ", "") for name, keys in settings.items() if name in NAMED}
        for name, keys in own.items():
            for together in _TOGETHER:
                others = {NAME_OF[key] for key in together} - {name} if NAMED[name] in together else set[str]()
                for other in sorted(others):
                    new = set(keys.split(",")) - set(NAMED[name].keys.split(","))
                    twice = new & set(own.get(other, NAMED[other].keys).split(","))
                    problems += [
                        f"keys.{name}: {key} is the key of {other} too; give one another." for key in sorted(twice)
                    ]
        return Keymap(tuple(own.items()), tuple(dict.fromkeys(problems)))

    def keys(self, key: Key) -> str:
        """Textual's names of the keys that do it."""
        return dict(self.own).get(NAME_OF.get(key, ""), key.keys)

    def shown(self, key: Key) -> str:
        """The key as printed on screen."""
        own = dict(self.own).get(NAME_OF.get(key, ""))
        return key.shown if own is None else own.split(",")[0].replace("ctrl+", "^")


BUILT_IN = Keymap()
