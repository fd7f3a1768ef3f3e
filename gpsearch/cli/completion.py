"""``gpsearch completion SHELL``: a script of the shell's own, which starts no Python."""

import argparse

import shtab

from gpsearch.cli.parser import make_parser
from gpsearch.cli.terminal import DONE, say

FILES = ("config", "subject", "study", "studies", "report", "output")  # arguments that are paths


def completion(arguments: argparse.Namespace) -> int:
    """Print the script of a shell."""
    parser = make_parser()
    for action in _actions(parser):
        if action.dest in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    say(shtab.complete(parser, arguments.shell).rstrip("\n"))
    return DONE


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Those of a parser and of its commands."""
    found = []
    for action in parser._actions:
        commands = action.choices if isinstance(action, argparse._SubParsersAction) else {}
        found += [action, *(own for command in commands.values() for own in _actions(command))]
    return found
