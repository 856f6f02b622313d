"""
The commands of `usher`, one module for each topic; `opening` builds the parts they share.

A command's module is loaded only when the command runs: the server needs neither the mail catcher nor the migrations,
and without them each of its processes is a fifth smaller.
"""

from importlib import import_module

import click

#: The module of each command; the function has the command's name.
COMMANDS = {
    "demo": "demonstration",
    "serve": "serving",
    "worker": "serving",
    "db": "upkeep",
    "check": "packages",
    "test": "packages",
    "deploy": "packages",
    "export": "packages",
    "start": "cases",
    "tasks": "cases",
    "complete": "cases",
    "message": "cases",
    "history": "cases",
    "case": "case",
    "process": "process",
    "calendar": "calendar",
    "operators": "operator_listing",
    "import-conflicts": "importing_patients",
    "import-patients": "importing_patients",
    "patient": "patient",
    "verify": "proving",
    "backtest": "backtesting",
    "migrate": "migrating",
    "checkpoint": "checkpoints",
    "export-history": "exporting",
    "purge": "purge",
    "evidence": "exporting",
    "bench": "measuring",
    "user": "people",
    "token": "people",
}


def load(name: str) -> click.Command:
    """The command called *name*; raises `KeyError` when there is none."""
    module = import_module(f".{COMMANDS[name]}", __package__)
    command: click.Command = getattr(module, name.replace("-", "_"))
    return command
