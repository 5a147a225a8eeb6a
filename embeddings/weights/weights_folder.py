"""Weights that are several large files in one folder, which the user puts there.

They are neither fetched nor hashed: no hash is published, and reading ten gigabytes twice helps nobody. Whoever loads them
reads numbers only and checks every shape.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from embeddings.errors import EmbeddingError

GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class LargeFile:
    """One of the files.

    Attributes:
        filename: its name, in the folder and at the folder's address.
        size: bytes, about.
    """

    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """A folder of weights as their authors publish them.

    Attributes:
        filename: what the folder is called beside other weights.
        address: what, with a file's name behind it, is where that file comes from.
        licence: SPDX identifier of the weights' licence.
        files: what it must hold.
        elsewhere: a folder where another program may have put them, "~" being the user's.
        demands: a sentence on what they ask of the machine, without its first capital and full stop.
    """

    filename: str
    address: str
    licence: str
    files: tuple[LargeFile, ...]
    elsewhere: str
    demands: str

    @property
    def size(self) -> int:
        """Bytes, about."""
        return sum(file.size for file in self.files)

    def find(self, folders: tuple[Path, ...]) -> Path | None:
        """The first place that holds all the files: below one of the folders given, or elsewhere."""
        places = (*(folder / self.filename for folder in folders), Path(self.elsewhere).expanduser())
        return next((place for place in places if not self._missing(place)), None)

    def check(self, folder: Path) -> None:
        """Make sure that all the files are there.

        Raises:
            EmbeddingError: one is not; the message says which, and how to get it.
        """
        if missing := self._missing(folder):
            raise EmbeddingError(f"{folder} holds no readable {' and no '.join(missing)}; {self._sentence(folder)}")

    def how_to_get(self, cache: Path) -> str:
        """What a person needs to know before getting them: size, licence, where from, where to, and what they ask."""
        return f"the weights are not there: {self._sentence(cache / self.filename)}"

    def _sentence(self, folder: Path) -> str:
        wanted = " and ".join(f"{self.address}/{file.filename}" for file in self.files)
        return (
            f"download {wanted} (about {self.size / GIGABYTE:.0f} GB, licence {self.licence}, no hash is published, so they are "
            f"not fetched) into {folder}, or name their folder with --weights; {self.demands}"
        )

    def _missing(self, folder: Path) -> list[str]:
        places = [folder / file.filename for file in self.files]
        return [place.name for place in places if not (place.is_file() and os.access(place, os.R_OK))]
