"""The `overcoat` command: `overcoat check`, `completion`, `demo`, `explain-proxy` and `logs`.

A subcommand is a module with two functions, `add_arguments(parser)` and `run(arguments) -> int`, which is imported
when that subcommand is the one that was typed. What it needs of an extra loads no earlier than that; where it is
missing, the command says which extra to install and exits with 2.

>>> main(["logs", "/no/such/file.log"])
1
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Args:
        module: where `add_arguments` and `run` are.
        help: one line for `overcoat --help`.
        extra: of the package, which the command needs.
    """

    module: str
    help: str
    extra: str


COMMANDS: Final = {
    "check": Command("overcoat.inspector.check_command", "show an app's layers, what it lacks, and its grade", "all"),
    "completion": Command("overcoat.inspector.completion_command", "print the completion script of a shell", "logs"),
    "demo": Command("overcoat.demo.command", "serve the demo: a small API in which every layer is at work", "demo"),
    "explain-proxy": Command(
        "overcoat.inspector.explain_proxy", "show what ProxyFix makes of a request's headers, hop by hop", "all"
    ),
    "logs": Command("overcoat.inspector.logs_command", "show and query request logs, here or in a browser", "logs"),
}

INTERRUPTED: Final = 130
COMPLETING: Final = "_ARGCOMPLETE"
"""In the environment where a shell asks for completions, rather than a user for an answer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status.

    Args:
        argv: the arguments, without the program's name; `sys.argv` by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if COMPLETING in os.environ and argv is None:
        return _complete()
    # No option before the subcommand takes a value: the first word is its name.
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    try:
        parser = _parser(name)
        parsed = parser.parse_args(arguments)
        if not parsed.command:
            parser.print_help()
            return 2
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if name not in COMMANDS or package in {"", "overcoat"}:
            raise
        print(f"overcoat {name} needs {package}: pip install 'overcoat[{COMMANDS[name].extra}]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted. What is still buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _complete() -> int:
    from overcoat.inspector.completion_command import complete, typed_subcommand

    complete(_parser(typed_subcommand(os.environ.get("COMP_LINE", ""))))
    return 0  # argcomplete ends the process itself


def _parser(name: str) -> argparse.ArgumentParser:
    """The parser of the command line, with the arguments of one subcommand."""
    parser = argparse.ArgumentParser(
        prog="overcoat",
        description="The outer layers of a Python web service.",
        epilog="overcoat COMMAND --help tells more, with examples.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"overcoat {_version()}")
    parser.set_defaults(command="")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for key, command in COMMANDS.items():
        subparser = commands.add_parser(key, help=command.help, allow_abbrev=False)
        if key == name:
            module = importlib.import_module(command.module)
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def _version() -> str:
    try:
        return version("overcoat")
    except PackageNotFoundError:  # run from its source
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
