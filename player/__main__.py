"""Entry of the ``player`` command."""

import io
import os
import sys
import time

DAY = 24 * 3600


def main() -> None:
    """Run the command line; ``--version`` alone is answered without loading it, and so is what drives a running player."""
    _settle_surroundings()
    if sys.argv[1:] in (["--version"], ["-V"]):
        from player import __version__  # noqa: PLC0415

        sys.stdout.write(f"player {__version__}\n")
        return
    if len(sys.argv) > 1 and sys.argv[1] in {"status", "play", "pause", "next", "previous", "stop", "up", "down"}:
        from player.remote.drive import answered_at_once  # noqa: PLC0415 - as above

        if (code := answered_at_once(sys.argv[1:])) is not None:
            sys.exit(code)
    from player.cli import run  # noqa: PLC0415 - start-up is a feature

    sys.exit(run())


def _settle_surroundings() -> None:
    """Make good for what the caller left out or got wrong: closed streams, an encoding that lacks letters, an impossible zone."""
    # In this order each gets its own number again, which else the database would have.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding != "utf-8":
            stream.reconfigure(errors="backslashreplace")
    if abs(time.localtime().tm_gmtoff) >= DAY:  # TZ=UTC+99: the C library takes it, datetime raises
        os.environ["TZ"] = "UTC"
        time.tzset()


if __name__ == "__main__":
    main()
