"""The command line: finds the command, parses its arguments, and turns errors into exit codes."""

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, TypedDict, Unpack

from keras_fn.cli import output
from keras_fn.errors import KerasError, SpecError, find_similar
from keras_fn.version import __version__

COMMANDS = {
    "inspect": "show what is in a file: architecture, weights, versions, custom classes",
    "verify": "check a file: structure, checksums, limits, no code",
    "convert": "convert a model or weights to another format, or export a model",
    "plot": "draw the graph of a model",
    "diff": "compare two models, or two files of weights",
    "run": "run a program that imports Keras, unedited, on keras_fn",
    "doctor": "check this installation: backends, devices, settings, libraries",
}
"""The commands. Each is a module of this package with `add_arguments` and `execute`."""

OK, NEGATIVE, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: yes; no (damaged, different, faulty); it could not be done; Control-C."""

_EPILOG = """exit codes:
  0  done; the file is whole, there is no difference, or nothing is wrong
  1  verify: the file is damaged; diff: there are differences; doctor: something is wrong
  2  it could not be done: wrong arguments, or a file that cannot be read or written
  run has the exit code of the program

`keras-fn COMMAND --help` shows the arguments of a command. With --json a command prints one JSON
object (docs/command_line.md), and errors are JSON on standard error.
"""


class _Prefix(TypedDict, total=False):
    prog: str
    description: str | None


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of this package."""

    def __init__(self, **options: Unpack[_Prefix]):
        super().__init__(
            **options, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )

    def error(self, message: str) -> NoReturn:
        raise SpecError(
            self.prog,
            expected=" ".join(self.format_usage().split()[2:]),
            received=message,
            fix=f"see {self.prog} --help",
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: The command and its arguments; by default those of the process.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    output.escape_unencodable()
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `keras-fn inspect FILE | head`
        output.silence()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        output.show_error(_os_error(error), "--json" in arguments)
    except (KerasError, ImportError, NotImplementedError) as error:
        output.show_error(error, "--json" in arguments)
    except Exception as error:  # of a custom layer or a module of --import: 1 would be an answer
        if "--json" in arguments:
            output.show_error(error, as_json=True)
        else:
            traceback.print_exc()
    return FAILED


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first == "--version":
        print(f"keras-fn {__version__}")
        return OK
    if first in ("", "-h", "--help"):
        print(_help(), end="")
        return OK if first else FAILED
    name = _find_command(first)
    command = importlib.import_module(f"keras_fn.cli.{name}_command")
    if name == "run":  # its arguments are those of Python and of the program
        return command.execute(arguments[1:])
    parser = Parser(prog=f"keras-fn {name}", description=command.__doc__)
    command.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return command.execute(parser.parse_args(arguments[1:]))


def _find_command(name: str) -> str:
    if name not in COMMANDS:
        near = find_similar(name, COMMANDS, 1)
        raise SpecError(
            "keras-fn",
            expected=f"a command: {', '.join(COMMANDS)}",
            received=repr(name),
            fix=f"did you mean {near[0]}?" if near else "see keras-fn --help",
        )
    return name


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = "".join(f"  {name:<{width}}  {text}\n" for name, text in COMMANDS.items())
    return f"usage: keras-fn COMMAND [ARGUMENT ...]\n\ncommands:\n{lines}\n{_EPILOG}"


def _os_error(error: OSError) -> SpecError:
    return SpecError(
        error.filename or "keras-fn",
        expected="a file that can be read, or a place that can be written",
        received=error.strerror or str(error),
        fix="check the path and its permissions",
    )
