"""What can go wrong between a folder of files and the library."""

from player.errors import PlayerError


class LibraryError(PlayerError):
    """The scan as a whole cannot go on; the text is one sentence for the listener."""


class NotAudioError(LibraryError):
    """One file cannot be read as audio; the text says why, without the file's name."""
