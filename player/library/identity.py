"""Who a recording is: fingerprints of the encoded audio that retagging and moving leave as they are."""

import hashlib
from pathlib import Path

from player.library import containers
from player.library.containers import Probe
from player.library.errors import NotAudioError

_SCHEME = b"1"
"""Changes when what is sampled changes; fingerprints of different schemes never meet by chance."""
_FINGERPRINT_BYTES = 16
"""Among a million recordings two equal 128-bit fingerprints by chance have a probability below 1e-26."""


def fingerprint(probe: Probe) -> str:
    """The quick identity: codec, length and sampled bytes of the payload, 32 hexadecimal digits."""
    digest = hashlib.blake2b(_SCHEME + probe.info.codec.encode() + b"\0", digest_size=_FINGERPRINT_BYTES)
    for piece in probe.payload.sample():
        digest.update(piece)
    return digest.hexdigest()


def full_audio_hash(path: Path) -> str:
    """SHA-256 over all encoded audio of the file, tags and container left out, 64 hexadecimal digits.

    Raises:
        NotAudioError: the file is not audio.
        OSError: it cannot be opened or read.
    """
    with path.open("rb") as file:
        probe = containers.probe(file, path.stat().st_size)
        digest = hashlib.sha256()
        for block in probe.payload.blocks():
            digest.update(block)
    return digest.hexdigest()


__all__ = ["NotAudioError", "fingerprint", "full_audio_hash"]
