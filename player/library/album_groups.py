"""Albums whose tags do not say whose they are: tracks of several artists that share a folder and an album's title."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from player.library.path_tags import without_disc_folder
from player.library.paths import file_of
from player.library.tags import VARIOUS, album_key
from player.storage.models import Track, TrackFile

_MOST = 0.5
"""The share of an album's tracks by one artist from which it is theirs, with guests; below, it is a compilation."""


def join_compilations(session: Session) -> None:
    """Give the tracks of such an album one identity.

    Only where neither an album's artist nor a release of MusicBrainz is tagged; those say it better than a folder.
    """
    groups: dict[tuple[str, str | None], list[_Row]] = defaultdict(list)
    columns = (Track.id, Track.album, Track.artists, Track.compilation, Track.album_id, TrackFile.path)
    untold = (Track.album != "", Track.album_artist == "", Track.musicbrainz_release.is_(None))
    for track, album, artists, compilation, key, path in session.execute(
        select(*columns).join(TrackFile).where(*untold)
    ):
        row = _Row(track, album, artists, compilation, key)
        groups[without_disc_folder(file_of(path).rpartition("/")[0]), album_key("", row.album)].append(row)
    changed: list[dict[str, object]] = []
    for rows in groups.values():
        artists = Counter(row.first_artist for row in rows)
        if len(artists) == 1:
            continue
        artist, count = artists.most_common(1)[0]
        various = count < _MOST * len(rows) or any(row.compilation for row in rows)
        for row in rows:
            now = album_key(VARIOUS if various else artist, row.album), various
            if (row.album_id, row.compilation) != now:
                changed.append({"id": row.id, "album_id": now[0], "compilation": various})
    if changed:
        session.execute(update(Track), changed)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    album: str
    artists: str
    compilation: bool
    album_id: str | None

    @property
    def first_artist(self) -> str:
        return self.artists.split("\n")[0].casefold()
