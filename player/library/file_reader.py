"""Reading one file for the library: its identity, facts and tags, or one sentence why not.

A recording's identity is a fingerprint of its encoded audio, which retagging and moving leave as it is.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from embeddings.audio_file import open_regular
from embeddings.errors import unforeseen
from player.library import containers
from player.library.containers import AudioInfo, NotAudioError, Probe
from player.library.files import FoundFile, is_candidate
from player.library.paths import FRAMES_PER_SECOND, part_to_text, text_to_path
from player.library.tagging.cue_sheets import Part, find_parts
from player.library.tagging.fields import merge_fields
from player.library.tagging.reader import read_blocks
from player.library.tags import Tags, has_art, make_tags

logger = logging.getLogger(__name__)

_SCHEME = b"1"
"""Changes when what is sampled changes; fingerprints of different schemes never meet by chance."""
READER = 4
"""Changes when files are to be read again by the next scan though they did not change: more tags are read, or otherwise."""
PART_MARK = "@"
"""Between a file's fingerprint and the CD frame at which a track within it begins."""
_EDGES_BYTES = 8
_FINGERPRINT_BYTES = 16
"""Among a million recordings two equal 128-bit fingerprints by chance have a probability below 1e-26."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The contents of one audio file, or of a track within it.

    For ``edges`` and ``container`` see the track's and the file's columns; ``problem`` is a sentence about "it" where
    something is wrong that leaves it playable.
    """

    file: FoundFile
    fingerprint: str
    edges: str | None
    container: str
    info: AudioInfo
    tags: Tags
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FailedReading:
    """A file that could not be read; ``error`` is a sentence about "it"."""

    file: FoundFile
    error: str


def read_file(found: FoundFile, separators: Sequence[str] = ()) -> list[Reading | FailedReading]:
    """Read ``found``: one reading, or one for each track of its cue sheet; whatever it holds, the answers are values.

    For ``separators`` see :func:`read_tags`.
    """
    path = text_to_path(found.path)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            framing = containers.find_tags(file, size)
            probe = containers.probe(file, size, named=is_candidate(path.name), framing=framing)
            blocks = read_blocks(file, size, framing=framing)
            fields = merge_fields(blocks)
            parts, problem = find_parts(path, found.sheets, fields, probe.info.duration)
            tags = make_tags(fields, found.path, found.root, separators, has_art=has_art(blocks))
            whole = Reading(found, fingerprint(probe), edges(probe), probe.container, probe.info, tags, problem)
    except NotAudioError as error:
        return [FailedReading(found, str(error))]
    except OSError as error:
        return [FailedReading(found, f"it cannot be read ({error.strerror or error})")]
    except Exception as error:  # a hostile file finds the way that nobody foresaw, and the others are still to be read
        logger.exception("Reading %s failed unexpectedly", found.path)
        return [FailedReading(found, f"reading it failed unexpectedly ({unforeseen(error)})")]
    if not parts:
        return [whole]
    first, *others = [_part(whole, part, separators) for part in parts]
    return [replace(first, problem=problem), *others]


def _part(whole: Reading, part: Part, separators: Sequence[str]) -> Reading:
    """The reading of a track within a file; its identity is that of the file's sound and the place where it begins."""
    file = whole.file
    tags = make_tags(part.fields, file.path, file.root, separators, has_art=whole.tags.has_art)
    if part.end is None and part.start == 0:
        return replace(whole, tags=tags)
    end = whole.info.duration if part.end is None else part.end / FRAMES_PER_SECOND
    return replace(
        whole,
        file=replace(file, path=part_to_text(file.path, part.number, part.start, part.end)),
        fingerprint=f"{whole.fingerprint}{PART_MARK}{part.start}",
        edges=None,
        info=replace(whole.info, duration=end - part.start / FRAMES_PER_SECOND),
        tags=tags,
        problem="",
    )


def fingerprint(probe: Probe) -> str:
    """The quick identity: codec, length and sampled bytes of the payload, 32 hexadecimal digits."""
    digest = hashlib.blake2b(_SCHEME + probe.info.codec.encode() + b"\0", digest_size=_FINGERPRINT_BYTES)
    for piece in probe.payload.sample():
        digest.update(piece)
    return digest.hexdigest()


def edges(probe: Probe) -> str | None:
    """Digest of the first and last encoded bytes; None for PCM, where silence would make strangers alike."""
    if probe.info.codec.startswith("pcm_"):
        return None
    digest = hashlib.blake2b(probe.info.codec.encode() + b"\0", digest_size=_EDGES_BYTES)
    for piece in probe.payload.edges():
        digest.update(piece)
    return digest.hexdigest()


def full_audio_hash(path: Path) -> str:
    """SHA-256 over all encoded audio of the file, tags and container left out, 64 hexadecimal digits.

    Raises:
        NotAudioError: the file is not audio.
        OSError: it cannot be opened or read.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        try:
            for block in containers.probe(file, os.fstat(file.fileno()).st_size).payload.blocks():
                digest.update(block)
        except (NotAudioError, OSError):
            raise
        except Exception as error:
            raise NotAudioError(f"reading it failed unexpectedly ({unforeseen(error)})") from error
    return digest.hexdigest()
