"""Which engine plays: the one asked for where it can, else the next best, saying so."""

from player.audio.engine import Emit, Engine, Post
from player.audio.libraries import portaudio
from player.audio.null import NullOutput
from player.audio.output import OutputError
from player.audio.portaudio import AbsentOutput, PortAudioOutput
from player.audio.stream import StreamEngine

ENGINES = ("auto", "stream", "vlc", "null")


def open_engine(
    name: str, device: str | None, emit: Emit, post: Post, *, wait_for_device: bool = False
) -> tuple[Engine, str]:
    """Open an engine.

    Args:
        name: one of ``ENGINES``; ``auto`` is ``stream``.
        device: part of the output device's name, None for the default.
        emit: where the engine's events go.
        post: runs functions on the control thread.
        wait_for_device: where there is no device, wait for one instead of playing silently by the clock until there is.

    Returns:
        The engine, and one sentence saying why it is not what was asked for (empty where it is).
    """
    if name == "null":
        return StreamEngine(NullOutput(), emit, post), ""
    note = ""
    if name == "vlc":
        try:
            return _vlc(device, emit, post), ""
        except OutputError as error:
            note = str(error)
    try:
        return _stream(device, emit, post), note
    except OutputError as error:
        note = note or str(error)
    if device is not None:
        try:
            return _stream(None, emit, post), f"{note} The default device plays instead."
        except OutputError:
            pass  # the first reason is the one the listener can fix
    absent = AbsentOutput(device)
    if wait_for_device:
        return StreamEngine(absent, emit, post), note
    return StreamEngine(NullOutput(), emit, post, absent), f"{note} Until then tracks run silently, by the clock."


def _stream(device: str | None, emit: Emit, post: Post) -> Engine:
    return StreamEngine(PortAudioOutput(device), emit, post)


def _vlc(device: str | None, emit: Emit, post: Post) -> Engine:
    from player.audio.vlc_engine import VlcEngine  # noqa: PLC0415 - libvlc is loaded only where it was asked for

    if _no_device_at_all():
        raise OutputError("No output device was found; connect one and start again.")
    return VlcEngine(device, emit, post)


def _no_device_at_all() -> bool:
    """Whether PortAudio is there and sees nothing; VLC itself would play on without a sound or a word."""
    try:
        library = portaudio()
    except OutputError:
        return False
    return not any(found["max_output_channels"] > 0 for found in library.query_devices())
