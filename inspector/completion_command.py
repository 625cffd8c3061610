"""`overcoat completion`: what a shell needs to complete the command's words with the Tab key.

The script asks the command itself, so that it never goes out of date. Options are offered where a dash was typed, files
where a file is meant, and fields after `--by`; elsewhere a value is anybody's guess and nothing is offered.

- bash: `overcoat completion bash > ~/.local/share/bash-completion/completions/overcoat`
- zsh: `overcoat completion zsh > "${fpath[1]}/_overcoat"`
- fish: `overcoat completion fish > ~/.config/fish/completions/overcoat.fish`

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> parser.parse_args(["fish"]).shell
'fish'
"""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
_FILES = frozenset({"files", "log"})
"""Of the arguments of all subcommands, those that name files."""

HELP = "print the completion script of a shell"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat completion`."""
    parser.description = "Print the script with which a shell completes the words of the overcoat command."
    parser.add_argument("shell", choices=SHELLS, help="for which the script is")


def run(arguments: argparse.Namespace) -> int:
    """Print the script; the exit status."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["overcoat"], shell=arguments.shell))
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, which asks through the environment, and end the process; see argcomplete."""
    import argcomplete
    from argcomplete.completers import FilesCompleter, SuppressCompleter

    for action in _actions(parser):
        if action.dest in _FILES:
            action.completer = FilesCompleter()  # type: ignore[attr-defined]
        elif action.dest == "by":
            action.completer = fields  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=SuppressCompleter())


def fields(prefix: str, **_: object) -> list[str]:
    """The fields that can follow in a list of them.

    >>> fields("method,sta")
    ['method,status']
    """
    from overcoat.inspector._record import FIELDS

    listed, comma, begun = prefix.rpartition(",")
    return [f"{listed}{comma}{name}" for name in FIELDS if name.startswith(begun) and name not in listed.split(",")]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of its subcommands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _actions(subparser)


def typed_subcommand(line: str) -> str:
    """The subcommand in a line that is being typed: the first word after the command that is no option.

    >>> typed_subcommand("overcoat logs --st")
    'logs'
    >>> typed_subcommand("overcoat lo")
    ''
    """
    words = [word for word in line.split()[1:] if not word.startswith("-")]
    return words[0] if len(words) > 1 or (words and line[-1:].isspace()) or len(line.split()) > 2 else ""
