"""A made-up library and the Spotify history of somebody who listens to it, of which every name's meaning is known."""


# ruff: noqa: RUF001 - Cyrillic letters look like Latin ones

import json
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA
from sqlalchemy import insert

from player.storage.database import Database, open_database
from player.storage.models import Track

PLAYS_A_FILE = 16_000
"""About 12 MB, as Spotify splits its files."""
NAMES_EACH = 2
"""Spellings a track goes by in one history."""
OUTSIDE_SHARE = 0.4
SHARED_TITLES = 0.05
"""Titles that another artist has, too."""
TRACKS_AN_ALBUM, ALBUMS_AN_ARTIST = 10, 4
START = 1_500_000_000
SPELLINGS = {
    "same": 0.4,
    "remaster": 0.15,
    "guest": 0.08,
    "case": 0.06,
    "accents": 0.06,
    "typo title": 0.08,
    "typo artist": 0.04,
    "live": 0.03,
    "edition": 0.04,
    "article": 0.03,
    "apart": 0.03,
}
"""What services do to names, and how often."""


def _words(text: str) -> list[str]:
    """The words of a text; written as a list they would take pages."""
    return text.split()


_WORDS = _words("""
    love night heart river summer winter blue black golden silver dream dance fire rain moon sun star shadow light dark road home
    city street ocean mountain wild broken lonely sweet crazy little big young old lost found forever never always only again
    tomorrow yesterday morning midnight heaven hell angel devil king queen baby girl boy mother father sister brother friend
    stranger money gold diamond glass paper stone wood bird wolf horse tiger lion snake spider butterfly flower rose tree garden
    house door window mirror picture letter song music radio record guitar piano drum voice whisper scream silence thunder
    lightning storm wind snow ice water earth sky cloud space planet rocket train car wheel engine highway bridge tower
""")
_ELSEWHERE = _words("""
    lover nights hearts rivet summers winner blues blank goldens sliver dreamt prance fibre rains moons sunk stark shadows slight
    darker rode homes pity streets oceans mountains mild token lovely sweat lazy brittle younger losing founder forevers nether
    mornings heavens angels devils kings queens bather friends strangers honey diamonds grass papers stones woods birds wolves
    horses tigers lions snakes spiders flowers noses trees gardens houses doors windows mirrors pictures letters songs magic
    radios records guitars pianos drums voices whispers screams thunders storms winds waters clouds spaces planets pockets trains
    wheels engines highways bridges powers
""")
"""Words that titles of the library do not have, though they are close to some that they do."""
_ACCENTED = _words("Café Niño Señor Über Mädchen Œuvre Élan Ænima Ångström Øre Corazón Français")
_CYRILLIC = {
    "Группа": "Gruppa",
    "Звезда": "Zvezda",
    "Любовь": "Lyubov",
    "Ночь": "Noch",
    "Море": "More",
    "Ветер": "Veter",
}
_FIRST = _words(
    "Anna Björn Chloë David Elena François Grace Hélène Ivan José Karl Lucía Miles Nina Otis Paul Rosa Søren Tom Zoë"
)
_LAST = _words(
    "Adams Bergström Cohen Dvořák Evans Fischer García Hughes Ibsen Jones Kovač López Müller Novák Ortiz Price Quinn Rossi"
)


@dataclass(frozen=True)
class Song:
    """A track as the library has it."""

    id: int
    artist: str
    title: str
    album: str
    seconds: float


@dataclass(frozen=True)
class Spelling:
    """A name in the history, what was done to it, and the track it means (0 for none in the library)."""

    artist: str
    title: str
    album: str
    done: str
    track: int


class Inventor:
    """Makes up music.

    Args:
        seed: the same gives the same.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return choices[int(self.rng.integers(len(choices)))]

    def artist(self) -> str:
        """A band or a person."""
        match int(self.rng.integers(5)):
            case 0:
                return f"The {self.pick(_WORDS).title()} {self.pick(_WORDS).title()}s"
            case 1:
                return f"{self.pick(_WORDS).title()} & {self.pick(_WORDS).title()}"
            case 2:
                return f"{self.pick(_WORDS).title()} of {self.pick(_WORDS).title()}"
            case _:
                return f"{self.pick(_FIRST)} {self.pick(_LAST)}"

    def title(self) -> str:
        """One to five words, sometimes with an accent, in Cyrillic or with a part's number."""
        count = int(self.rng.choice([1, 2, 3, 4, 5], p=[0.12, 0.33, 0.3, 0.15, 0.1]))
        words = [self.pick(_WORDS).title() for _ in range(count)]
        if self.rng.random() < 0.08:
            words[0] = self.pick(_ACCENTED)
        if self.rng.random() < 0.02:
            words[-1] = self.pick(list(_CYRILLIC))
        if self.rng.random() < 0.04:
            words.append(f"Pt. {int(self.rng.integers(1, 4))}")
        return " ".join(words)

    def library(self, count: int) -> list[Song]:
        """Tracks by albums; an artist has no title twice, but artists share titles."""
        songs: list[Song] = []
        artists: set[str] = set()
        while len(songs) < count:
            artist = self.artist()
            if artist in artists:
                continue
            artists.add(artist)
            own: set[str] = set()
            for _ in range(ALBUMS_AN_ARTIST):
                album = self.title()
                for title in self._album(songs, own, count - len(songs)):
                    songs.append(Song(len(songs) + 1, artist, title, album, float(self.rng.uniform(120, 420))))
        return songs

    def _album(self, songs: list[Song], own: set[str], most: int) -> list[str]:
        titles: list[str] = []
        while len(titles) < min(TRACKS_AN_ALBUM, most):
            title = self.pick(songs).title if songs and self.rng.random() < SHARED_TITLES else self.title()
            if title not in own:
                own.add(title)
                titles.append(title)
        return titles

    def typo(self, text: str) -> str:
        """One letter wrong, missing, doubled or swapped, inside a word."""
        places = [n for n in range(1, len(text) - 1) if text[n].isalpha() and text[n - 1].isalpha()]
        if not places:
            return text
        at = int(self.pick(places))
        match int(self.rng.integers(4)):
            case 0:
                return text[:at] + self.pick("abcdefghijklmnopqrstuvwxyz") + text[at + 1 :]
            case 1:
                return text[:at] + text[at + 1 :]
            case 2:
                return text[:at] + text[at] + text[at:]
            case _:
                return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]

    def spelling(self, song: Song) -> Spelling:
        """One way a service may name a track of the library."""
        artist, title, album = song.artist, song.title, song.album
        done = str(self.rng.choice(list(SPELLINGS), p=list(SPELLINGS.values())))
        year = int(self.rng.integers(1990, 2024))
        match done:
            case "case":
                title, artist = self.pick([(title.upper(), artist), (title.lower(), artist.lower())])
            case "accents":
                title, artist = _latin(title), _latin(artist)
            case "typo artist":
                artist = self.typo(artist)
            case "edition":
                album = f"{album} (Deluxe Edition)"
            case "article":
                artist = artist.removeprefix("The ") if artist.startswith("The ") else artist.replace(" & ", " and ")
            case "apart":
                artist, album = f"{artist}, {self.artist()}", self.title()
            case _:
                title = self._retitled(title, done, year)
        return Spelling(artist, title, album, done, song.id)

    def _retitled(self, title: str, done: str, year: int) -> str:
        """A title as it stands where only the title is another one."""
        match done:
            case "remaster":
                endings = (f" - Remastered {year}", f" - {year} Remaster", " (Remastered)", f" - {year} - Remaster")
                return title + self.pick(endings)
            case "guest":
                guest = self.artist()
                endings = (f" (feat. {guest})", f" - feat. {guest}", f" ft. {guest}", f" (with {guest})")
                return title + self.pick(endings)
            case "typo title":
                return self.typo(title)
            case "live":
                return title + self.pick((" - Live", f" (Live at {self.pick(_WORDS).title()} Hall)"))
            case _:
                return title

    def outside(self, songs: list[Song], held: set[tuple[str, str]]) -> Spelling:
        """A name that means nothing in the library, though it may look like it."""
        while True:
            song: Song = self.pick(songs)
            done = str(
                self.rng.choice(
                    ["unknown", "other title", "other artist", "near title", "remix"], p=[0.5, 0.2, 0.15, 0.05, 0.1]
                )
            )
            artist, title = {
                "unknown": (self.artist(), self.title()),
                "other title": (song.artist, self.title()),
                "other artist": (self.artist(), song.title),
                "near title": (song.artist, self._neighbour(song.title)),
                "remix": (song.artist, f"{song.title} - {self.artist()} Remix"),
            }[done]
            if (artist.lower(), title.lower()) not in held:
                return Spelling(artist, title, self.title(), done, 0)

    def _neighbour(self, title: str) -> str:
        """Another real title: one word replaced by the most similar other one, known or not, or another part of the piece."""
        words = title.split()
        if words[-1].isdigit():
            return " ".join([*words[:-1], str(int(words[-1]) + 1)])
        at, known = int(self.rng.integers(len(words))), self.rng.random() < 0.5
        others = [word for word in (_WORDS if known else _ELSEWHERE) if word != words[at].lower()]
        words[at] = min(others, key=lambda word: OSA.distance(word, words[at].lower())).title()
        return " ".join(words)


def _latin(text: str) -> str:
    for cyrillic, latin in _CYRILLIC.items():
        text = text.replace(cyrillic, latin)
    for letter, latin in {"ø": "o", "Ø": "O", "Œ": "Oe", "Æ": "Ae"}.items():
        text = text.replace(letter, latin)
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def write_library(folder: Path, songs: list[Song]) -> Database:
    """A database that knows the songs."""
    database = open_database(folder / "player.db")
    with database.session() as session:
        session.execute(
            insert(Track),
            [
                {
                    "id": song.id,
                    "fingerprint": f"bench-{song.id}",
                    "title": song.title,
                    "artist": song.artist,
                    "album": song.album,
                    "album_artist": song.artist,
                    "genre": "",
                    "duration": song.seconds,
                    "codec": "opus",
                    "sample_rate": 48_000,
                    "channels": 2,
                    "added_us": song.id,
                }
                for song in songs
            ],
        )
    return database


def write_history(folder: Path, songs: list[Song], names: list[Spelling], plays: int, rng: np.random.Generator) -> None:
    """Spotify's files: plays of names, the favourite ones again and again."""
    seconds = {song.id: song.seconds for song in songs}
    popularity = 1.0 / np.arange(1, len(names) + 1) ** 0.6
    chosen = rng.choice(len(names), size=plays, p=popularity / popularity.sum())
    reasons = rng.choice(
        ["trackdone", "fwdbtn", "endplay", "backbtn", "logout"], size=plays, p=[0.6, 0.28, 0.07, 0.03, 0.02]
    )
    folder.mkdir()
    for number, start in enumerate(range(0, plays, PLAYS_A_FILE)):
        rows = [
            _play(
                names[chosen[n]],
                seconds.get(names[chosen[n]].track, 200.0),
                str(reasons[n]),
                START + 400 * n,
                float(rng.random()),
            )
            for n in range(start, min(plays, start + PLAYS_A_FILE))
        ]
        path = folder / f"Streaming_History_Audio_2017-2024_{number}.json"
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False), "utf-8")


def _play(name: Spelling, seconds: float, reason: str, ended: int, share: float) -> dict[str, object]:
    played = seconds if reason == "trackdone" else share * seconds
    return {
        "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ended)),
        "platform": "linux",
        "ms_played": round(played * 1000),
        "conn_country": "DE",
        "master_metadata_track_name": name.title,
        "master_metadata_album_artist_name": name.artist,
        "master_metadata_album_album_name": name.album,
        "spotify_track_uri": f"spotify:track:{abs(hash((name.artist, name.title))):022d}"[:36],
        "episode_name": None,
        "reason_start": "trackdone",
        "reason_end": reason,
        "shuffle": False,
        "skipped": reason == "fwdbtn",
        "offline": False,
        "incognito_mode": False,
    }


def invent(tracks: int, seed: int) -> tuple[list[Song], list[Spelling]]:
    """A library and the names of a history, in random order of liking."""
    inventor = Inventor(seed)
    songs = inventor.library(tracks)
    held = {(song.artist.lower(), song.title.lower()) for song in songs}
    inside = [inventor.spelling(song) for song in songs for _ in range(NAMES_EACH)]
    outside = [inventor.outside(songs, held) for _ in range(round(len(inside) * OUTSIDE_SHARE / (1 - OUTSIDE_SHARE)))]
    names = [*inside, *outside]
    inventor.rng.shuffle(names)
    return songs, names
