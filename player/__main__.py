"""Entry of the ``player`` command."""

import sys


def main() -> None:
    """Run the command line; ``--version`` alone is answered without loading it."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from player import __version__  # noqa: PLC0415

        sys.stdout.write(f"player {__version__}\n")
        return
    from player.cli import run  # noqa: PLC0415 - start-up is a feature

    sys.exit(run())


if __name__ == "__main__":
    main()
