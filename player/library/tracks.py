"""One track as lists, search, ranking and the screen see it."""

from dataclasses import dataclass

GENRE_SEPARATOR = "; "
"""Between the genres of a track that is tagged with several."""


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track of the library.

    Attributes:
        id: the track's id in the database.
        path: where it lies, as text safe to show; ``paths.text_to_path`` gives the path to open. Empty where no file of
            the track is known any more (its file was replaced by other audio).
        title, artist, album: as tagged; title and artist are never empty.
        genre: as tagged, several joined by "; ".
        year: or None.
        duration: seconds.
        missing: no file of it was there at the last scan.
    """

    id: int
    path: str
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    duration: float
    missing: bool
