"""The two C libraries that a machine may lack, each with the sentence that says how to get it."""

import ctypes
from contextlib import suppress
from typing import Any

from player.audio.output import OutputError

INSTALL_PORTAUDIO = "install PortAudio (Debian: apt install libportaudio2; macOS: brew install portaudio)"
INSTALL_VLC = "install VLC (Debian: apt install libvlc5 vlc-plugin-base; macOS: brew install --cask vlc)"


def portaudio() -> Any:
    """The ``sounddevice`` module; raises OutputError where the PortAudio library is missing."""
    try:
        import sounddevice  # noqa: PLC0415 - only the audio process and the doctor pay for it
    except (OSError, ImportError) as error:
        raise OutputError(f"The PortAudio library was not found; {INSTALL_PORTAUDIO}.") from error
    return sounddevice


def let_unused_plugins_go() -> None:
    """Unload the ALSA plug-ins that no open device uses.

    PortAudio opens every device once to list it, and ALSA keeps their plug-ins loaded: the one for S/PDIF alone brings a second
    FFmpeg, 70 libraries and 5 MB.
    """
    with suppress(OSError, AttributeError):  # no ALSA here
        ctypes.CDLL("libasound.so.2").snd_config_update_free_global()


def libvlc() -> Any:
    """The ``vlc`` module; raises OutputError where libvlc is missing."""
    try:
        import vlc  # noqa: PLC0415 - only those who chose this engine pay for it

        # Where there is no libvlc, python-vlc may load the program itself in its place and import well; a call tells.
        vlc.libvlc_get_version()
    # python-vlc: NotImplementedError without libvlc, the others where it finds something else under that name, SystemExit
    # where its own environment variables point nowhere.
    except (ImportError, OSError, NotImplementedError, NameError, AttributeError, SystemExit) as error:
        raise OutputError(f"The VLC library was not found; {INSTALL_VLC}.") from error
    return vlc
