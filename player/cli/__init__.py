"""Every ``player …`` command. Nothing heavy is imported before the command that needs it."""

from player.cli.run import run

__all__ = ["run"]
