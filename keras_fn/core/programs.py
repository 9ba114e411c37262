"""Compiled programs, one for all models that are alike, freed with the last of them.

A program takes the values of variables as arguments and holds no model. What it depends on besides
is in its key (`keras_fn.training.program_key`).
"""

from collections import deque
from collections.abc import Callable
from threading import Lock, RLock
from typing import Any, NamedTuple
from weakref import WeakValueDictionary


class Program:
    """A compiled function that all models with one key call, each with its own variables.

    Attributes:
        content: What the backend keeps: nothing that holds a model. None until the first of the
            models has compiled it.
        lock: Held by who sets the content.
    """

    def __init__(self) -> None:
        self.content: Any = None
        self.lock = Lock()

    def get_content(self, create: Callable[[], Any]) -> Any:
        """Returns the content; the first caller creates it."""
        with self.lock:
            if self.content is None:
                self.content = create()
            return self.content


class ProgramShare(NamedTuple):
    """A program, for one of the models that use it.

    Attributes:
        program: The program.
        is_current: Returns whether the key of the model is still the one of the program. A backend
            asks before it traces the model: it may have changed since, and then the trace is for
            this model alone.
        finish_trace: Notes which functions the modules of the package have: a backend calls it
            after a trace, which may have imported some.
    """

    program: Program
    is_current: Callable[[], bool]
    finish_trace: Callable[[], Any]


_programs: WeakValueDictionary[bytes, Program] = WeakValueDictionary()
# The programs of the last models. A loop that makes one model after the other, as cross-validation
# does, drops a model before it compiles the next one.
_recent: deque[Program] = deque(maxlen=16)
_lock = RLock()  # a finalizer that runs while it is held may compile a model


def get_program(key: bytes) -> Program:
    """Returns the program of a key; a new one if no model has used the key."""
    with _lock:
        program = _programs.get(key)
        if program is None:
            program = _programs.setdefault(key, Program())
        if program in _recent:
            _recent.remove(program)
        _recent.append(program)
        return program


def clear_programs() -> None:
    """Frees the programs that no model uses, also those of the last models."""
    with _lock:
        _recent.clear()
