"""The library as MPD's clients browse it: files named below their music folder, in folders."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from player.library.paths import file_of, part_of
from player.library.tracks import TrackRow
from player.remote.protocol import Ack, AckError


class LibraryView:
    """Names of the tracks that can be played.

    Args:
        rows: the tracks, by artist, album and number.
        roots: the music folders, as printable text; where there are several, a name begins with its folder's own.
    """

    def __init__(self, rows: Sequence[TrackRow], roots: Sequence[str]) -> None:
        self.rows = rows
        ends = _distinct([PurePosixPath(root).name or "music" for root in roots]) if len(roots) > 1 else [""]
        # The innermost folder comes first: one within another names its own files.
        self._roots = sorted(
            ((root.rstrip("/") + "/", f"{end}/".lstrip("/")) for root, end in zip(roots, ends, strict=False)),
            key=lambda item: -len(item[0]),
        )

    def uri(self, row: TrackRow) -> str:
        """The name of a track's file; one of a cue sheet is named as if its file were a folder, as MPD does."""
        file, part = file_of(row.path), part_of(row.path)
        name = f"{file}/{part}" if part else file
        for root, prefix in self._roots:
            if name.startswith(root):
                return prefix + name.removeprefix(root)
        return name.lstrip("/")

    @cached_property
    def _by_uri(self) -> dict[str, TrackRow]:
        return {self.uri(row): row for row in self.rows}

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self._by_uri)

    def track(self, uri: str) -> TrackRow:
        """The track of that name; a whole path names it too, and ``track:`` with its number.

        Raises:
            AckError: there is none.
        """
        name = uri.removeprefix("file://")
        row = self._by_uri.get(name.lstrip("/"))
        if row is None:
            row = next((row for row in self.rows if name in (row.path, f"track:{row.id}")), None)
        if row is None:
            raise AckError(Ack.NO_EXIST, f"there is no track “{uri[:200]}”")
        return row

    def below(self, folder: str) -> list[tuple[str, TrackRow]]:
        """(name, track) of a track, or of all within a folder, in the order of their names.

        Raises:
            AckError: there is neither.
        """
        folder = folder.strip("/")
        if folder in self._by_uri:
            return [(folder, self._by_uri[folder])]
        begin = f"{folder}/" if folder else ""
        first = bisect_left(self._names, begin)
        # The character after the slash ends everything that begins with it.
        last = bisect_left(self._names, f"{folder}0") if folder else len(self._names)
        if folder and first == last:
            raise AckError(Ack.NO_EXIST, f"there is no folder “{folder[:200]}”")
        return [(name, self._by_uri[name]) for name in self._names[first:last]]

    def listing(self, folder: str) -> Iterator[tuple[str, TrackRow | None]]:
        """(name, track) of what lies in a folder; a folder in it has no track and comes once.

        Raises:
            AckError: there is no such folder.
        """
        depth = folder.strip("/").count("/") + 2 if folder.strip("/") else 1
        seen = ""
        for name, row in self.below(folder):
            parts = name.split("/")
            if len(parts) <= depth:
                yield name, row
            elif (inner := "/".join(parts[:depth])) != seen:
                seen = inner
                yield inner, None


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number behind them."""
    return [name if name not in names[:place] else f"{name} ({place + 1})" for place, name in enumerate(names)]
