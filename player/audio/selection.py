"""Which engine plays: the one asked for where it can, else the next best, saying so."""

from collections.abc import Callable, Iterator
from functools import partial

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
        name: one of ``ENGINES``; ``auto`` is ``stream``. The other one plays where a library of the one is missing.
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
    for open_one, words in _ways(name, device):
        try:
            return open_one(emit, post), f"{note} {words}".strip() if note else ""
        except OutputError as error:
            note = note or str(error)  # the first reason is the one the listener can mend
    absent = AbsentOutput(device)
    if wait_for_device:
        return StreamEngine(absent, emit, post), note
    return StreamEngine(NullOutput(), emit, post, absent), f"{note} Until then tracks run silently, by the clock."


def _ways(name: str, device: str | None) -> Iterator[tuple[Callable[[Emit, Post], Engine], str]]:
    """What to try, and how to say that it plays in place of what was asked for."""
    vlc_first = name == "vlc"
    if vlc_first:
        yield partial(_vlc, device), ""
    yield partial(_stream, device), "The engine `stream` plays instead." if vlc_first else ""
    if device is not None:
        yield partial(_stream, None), "The default device plays instead."
    if not vlc_first:
        yield partial(_vlc_for_want_of_portaudio, device), "VLC plays instead."


def _stream(device: str | None, emit: Emit, post: Post) -> Engine:
    return StreamEngine(PortAudioOutput(device), emit, post)


def _vlc(device: str | None, emit: Emit, post: Post) -> Engine:
    from player.audio.vlc_engine import VlcEngine  # noqa: PLC0415 - libvlc is loaded only where it is needed

    return VlcEngine(device, emit, post)


def _vlc_for_want_of_portaudio(device: str | None, emit: Emit, post: Post) -> Engine:
    """Where PortAudio is there and finds no device, VLC would find none either."""
    try:
        portaudio()
    except OutputError:
        return _vlc(device, emit, post)
    raise OutputError("There is nothing to play through.")
