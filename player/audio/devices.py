"""What this machine offers for sound: its output devices, and for ``player doctor`` what is there or missing."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from player.audio.libraries import libvlc, portaudio
from player.audio.null import RATE, NullOutput
from player.audio.output import OutputError

LIST_SECONDS = 10.0
"""For a sound server that is slow to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: what it is.
        ok: whether it is there.
        detail: what was found, or what is missing.
        fix: what to do about it; empty when ``ok``.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class OutputDevice:
    """Something that sound can come out of.

    Attributes:
        name: as the system has it; ``audio.device`` takes it or a part of it.
        engine: what plays through it: ``stream``, or ``null`` for silence by the clock.
        rate: frames per second that it is used with.
        default: it is the one that is taken where none is named.
    """

    name: str
    engine: str
    rate: int
    default: bool


def output_devices() -> tuple[OutputDevice, ...]:
    """The output devices there are now, and the silent one, which is the default where there is no other."""
    try:
        library = portaudio()
    except OutputError:
        listed, default = [], -1
    else:
        listed = [one for one in library.query_devices() if one["max_output_channels"] > 0]
        default = library.default.device[1]
    found = [
        OutputDevice(str(one["name"]), "stream", int(one["default_samplerate"]), int(one["index"]) == default)
        for one in listed
    ]
    return (*found, OutputDevice(NullOutput().device, "null", RATE, not found))


def listed_devices() -> tuple[OutputDevice, ...]:
    """The same, looked for in a process of its own: the system's libraries write to standard error, which may be a screen."""
    command = [sys.executable, "-P", "-m", "player", "devices", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=LIST_SECONDS)
        return tuple(OutputDevice(**device) for device in json.loads(done.stdout))
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return ()


def sound_findings() -> tuple[Finding, ...]:
    """Look at decoder, PortAudio, output devices and libvlc; none of them missing is an error here."""
    examinations: tuple[Callable[[], Finding], ...] = (find_decoder, find_portaudio, find_output, find_vlc)
    return tuple(examine() for examine in examinations)


def find_decoder() -> Finding:
    """Whether FFmpeg, which decodes every track, can be loaded."""
    try:
        import av  # noqa: PLC0415 - only the doctor pays for it
    except (ImportError, OSError) as error:
        fix = "Install the player's Python packages again (make run does it)."
        return Finding("decoder", ok=False, detail=f"PyAV cannot be loaded: {error}.", fix=fix)
    return Finding("decoder", ok=True, detail=f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}")


def find_portaudio() -> Finding:
    """Whether the PortAudio library can be loaded."""
    try:
        version = portaudio().get_portaudio_version()[1]
    except OutputError as error:
        return _missing("portaudio", error)
    return Finding("portaudio", ok=True, detail=str(version).split(",", maxsplit=1)[0])


def find_output() -> Finding:
    """Which device sound goes to by default, and which others there are."""
    try:
        library = portaudio()
    except OutputError as error:
        return _missing("output device", error)
    try:
        outputs = [found for found in library.query_devices() if found["max_output_channels"] > 0]
        if not outputs:
            fix = "Connect one, or start the sound server (PipeWire, PulseAudio); until then tracks run silently."
            return Finding("output device", ok=False, detail="No output device was found.", fix=fix)
        default = library.query_devices(kind="output")["name"]
    except (ValueError, library.PortAudioError) as error:
        fix = "Choose one of the devices listed by your system's sound settings as its default."
        return Finding("output device", ok=False, detail=f"There is no default output device: {error}.", fix=fix)
    others = ", ".join(sorted(str(found["name"]) for found in outputs if found["name"] != default))
    return Finding("output device", ok=True, detail=f"{default}{f' (also: {others})' if others else ''}")


def find_vlc() -> Finding:
    """Whether libvlc, for the engine ``vlc``, can be loaded, and its version."""
    try:
        version: bytes = libvlc().libvlc_get_version()
    except OutputError as error:
        return _missing("libvlc", error)
    return Finding("libvlc", ok=True, detail=version.decode(errors="replace"))


def _missing(name: str, error: OutputError) -> Finding:
    """Split "what is missing; the fix." as OutputError has it."""
    detail, _, fix = str(error).partition("; ")
    return Finding(name, ok=False, detail=f"{detail.rstrip('.')}.", fix=fix[:1].upper() + fix[1:])
