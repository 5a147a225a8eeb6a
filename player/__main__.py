"""Entry of the ``player`` command."""

import sys


def main() -> None:
    """Run the command line; ``--version`` alone is answered without loading it, and so is what drives a running player."""
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


if __name__ == "__main__":
    main()
