"""The one kind of error a listener is meant to read."""


class PlayerError(Exception):
    """Something went wrong that the listener can fix; the text is one sentence saying what, where and how to fix it."""


class UsageError(PlayerError):
    """The command itself was wrong (exit code 2)."""
