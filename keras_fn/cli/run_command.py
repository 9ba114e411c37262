"""Runs a program that imports Keras, unedited, with keras_fn under the name keras."""

import os
import subprocess
import sys
from collections.abc import Sequence

from keras_fn.alias import finder
from keras_fn.alias.installation import set_environment
from keras_fn.errors import SpecError, check_choice

USAGE = """usage: keras-fn run [--also NAME] PROGRAM [ARGUMENT ...]

Runs Python with keras_fn under the name keras: `import keras` and `from keras.layers import Dense`
give keras_fn, in worker processes too. What follows is what Python takes: program.py, -m module
(for example -m pytest), -c code, with its options before and the program's arguments after it.

options:
  --also NAME   a further name for keras_fn: tensorflow.keras

The environment variable KERAS_BACKEND selects jax, torch or tensorflow. `python -m keras_fn run`
is the same command.
"""
_SOURCE = "keras-fn run"


def execute(arguments: Sequence[str]) -> int:
    """Replaces this process by Python with the aliases: the program has its exit code.

    Args:
        arguments: Options of the command, then what Python takes.

    Returns:
        The exit code of the program, or of the help.
    """
    arguments = list(arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    names = ["keras"]
    while arguments and arguments[0] == "--also":
        name = arguments[1] if len(arguments) > 1 else None
        names.append(check_choice(_SOURCE, "--also", name, finder.NAMES))
        del arguments[:2]
    options = _interpreter_options()
    _check_startup([*options, *arguments])
    environment = dict(os.environ)
    set_environment(environment, names)
    command = [sys.executable, *options, *arguments]
    if os.name == "nt":  # execve returns to the shell before the program has ended
        return subprocess.call(command, env=environment)
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)


def _interpreter_options() -> list[str]:
    """Returns the options of this Python: `-X dev` in `python -X dev -m keras_fn run ...`."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    if before[-2:] == ["-m", finder.PACKAGE]:
        return before[:-2]
    # `keras-fn run` is a script that Python runs.
    return before[:-1] if before[-1:] == sys.argv[:1] else []


def _check_startup(arguments: Sequence[str]) -> None:
    """Refuses the options with which Python does not run `startup/sitecustomize.py`."""
    waiting = False
    for argument in arguments:
        if waiting:
            waiting = False
        elif not argument.startswith("-") or argument[:2] in ("-", "-c", "-m"):
            return
        elif argument[1] in "XW":
            waiting = len(argument) == 2
        elif not argument.startswith("--") and set("IES") & set(argument):
            raise SpecError(
                _SOURCE,
                expected="Python options without -I, -E and -S, which ignore PYTHONPATH",
                received=argument,
                fix='leave the option out, or call keras_fn.install("keras") in the program',
            )
