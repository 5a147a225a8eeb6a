"""Who made each demo excerpt, under which licence, and where it was taken from."""

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

LICENCE_URLS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
}
"""The licences a demo excerpt may have, by their SPDX names (with "CC-BY" as Debian writes it)."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One excerpt: what it is, whose it is, and how to cut it again.

    Attributes:
        file: path below the folder of the demo music, ``Artist/Album/NN Title.opus``.
        title: title tag.
        artist: artist tag.
        album: album or soundtrack.
        date: year of release, empty where it is not known.
        genre: genre tag.
        licence: one of :data:`LICENCE_URLS`.
        copyright: the copyright line of the Debian package's copyright file for this work.
        package: Debian package the recording was taken from.
        version: version of that package.
        stanza: the ``Files:`` pattern of the copyright file that gives the licence.
        member: path of the recording (or of the archive around it) inside the package.
        archived: path inside that archive, empty where the package holds the recording itself.
        start_seconds: where in the recording the excerpt begins.
        seconds: how long the excerpt is.
    """

    file: Path
    title: str
    artist: str
    album: str
    date: str
    genre: str
    licence: str
    copyright: str
    package: str
    version: str
    stanza: str
    member: str
    archived: str
    start_seconds: float
    seconds: float

    @property
    def track_number(self) -> int:
        """Number within the album folder: the digits that begin the file's name."""
        return int(self.file.name.split(" ", 1)[0])

    @property
    def licence_url(self) -> str:
        """Address of the licence's text."""
        return LICENCE_URLS[self.licence]


def demo_credits() -> tuple[Credit, ...]:
    """Return the credit of every demo excerpt, in the order of the files' names.

    Raises:
        ValueError: the table has a licence that the demo library does not take.
    """
    table = (resources.files("player.demo") / "attribution.csv").read_text(encoding="utf-8")
    return tuple(_credit(row) for row in csv.DictReader(table.splitlines()))


def _credit(row: dict[str, str]) -> Credit:
    if row["licence"] not in LICENCE_URLS:
        raise ValueError(f"{row['file']}: the demo library takes no music under {row['licence']!r}.")
    return Credit(
        file=Path(row["file"]),
        title=row["title"],
        artist=row["artist"],
        album=row["album"],
        date=row["date"],
        genre=row["genre"],
        licence=row["licence"],
        copyright=row["copyright"],
        package=row["package"],
        version=row["version"],
        stanza=row["stanza"],
        member=row["member"],
        archived=row["archived"],
        start_seconds=float(row["start"]),
        seconds=float(row["seconds"]),
    )
