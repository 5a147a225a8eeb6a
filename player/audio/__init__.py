"""A track becomes sound: a child process that owns the output device, and the client that talks to it.

The user interface imports :mod:`player.audio.client` and :mod:`player.audio.messages` only; both are light. Everything
that decodes or touches a device is imported by the child (``python -m player.audio``).
"""
