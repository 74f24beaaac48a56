"""The command line: `voucherd` and its commands. Nothing heavy is imported before a command needs it."""

from voucherd.cli.main import main

__all__ = ["main"]
