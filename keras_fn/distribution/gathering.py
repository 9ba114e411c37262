"""Process 0 writes a file, with the shards of the others: each takes part in what is gathered.

Process 0 tells the others which variable it gathers next, so that the collectives have one order,
and nobody else writes or keeps anything. It holds one gathered value at a time.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from keras_fn.core.variable import Variable, gathering
from keras_fn.distribution.processes import (
    MissingProcessError,
    agreement,
    exchange_text,
    processes,
)

_FIX = "call it in all processes: process 0 writes, with the shards of the others"


def write_in_process_0(
    write: Callable[[], object], source: str, variables: Callable[[], Iterable[Variable]]
) -> None:
    """Calls a function in process 0, while the others send what it reads of their shards.

    Args:
        write: The function, which may read variables.
        source: The caller, for errors.
        variables: Returns all variables that it may read, in an order that all processes have.

    Raises:
        ProcessError: The others do not call it, too, or process 0 has raised an error.
    """
    if processes.timeout is None or gathering.announce is not None:
        write()
        return
    with agreement(source):
        exchange_text("write", source=source, fix=_FIX)
        if processes.index == 0:
            _lead(write, list(variables()), source)
        else:
            _follow(list(variables()), source)


def _lead(write: Callable[[], object], variables: list[Variable], source: str) -> None:
    """Calls the function, and tells the others which variables it reads."""
    numbers = {id(variable): str(i) for i, variable in enumerate(variables)}

    def announce(variable: Variable) -> None:
        exchange_text("gather", numbers[id(variable)], source, _FIX)

    gathering.announce = announce
    try:
        write()
    except MissingProcessError:
        raise
    except BaseException:
        gathering.announce = None
        with suppress(MissingProcessError):
            exchange_text("gather", source=source)
        raise
    finally:
        gathering.announce = None
    exchange_text("gather", source=source)


def _follow(variables: list[Variable], source: str) -> None:
    """Takes part in what process 0 gathers, until it is done."""
    while number := exchange_text("gather", source=source, fix=_FIX)[0]:
        variables[int(number)]._view()
