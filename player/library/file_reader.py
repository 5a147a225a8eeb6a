"""Reading one file for the library: identity, facts and tags, or one sentence why not."""

import os
from dataclasses import dataclass

from player.library import containers
from player.library.errors import NotAudioError
from player.library.files import FoundFile
from player.library.identity import fingerprint
from player.library.paths import text_to_path
from player.library.tags import AudioInfo, Tags, read_tags


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds."""

    file: FoundFile
    fingerprint: str
    info: AudioInfo
    tags: Tags


@dataclass(frozen=True, slots=True)
class FailedReading:
    """Why a file could not be read; ``error`` is a sentence about "it"."""

    file: FoundFile
    error: str


def read_file(found: FoundFile) -> Reading | FailedReading:
    """Read ``found``; whatever it holds, the answer is a value."""
    path = text_to_path(found.path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            probe = containers.probe(file, size)
            return Reading(found, fingerprint(probe), probe.info, read_tags(file, size, path.name))
    except NotAudioError as error:
        return FailedReading(found, str(error))
    except OSError as error:
        return FailedReading(found, f"it cannot be read ({error.strerror or error})")
