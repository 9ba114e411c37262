"""What the processes of a cluster tell each other, and what is said when one of them is missing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from keras_fn.backend.distribution_contract import SupportsProcesses
from keras_fn.backend.loader import current
from keras_fn.errors import KerasError, SpecError
from keras_fn.settings import settings

_DETECTION_SECONDS = 0.2  # until the failure detector names a process that has died
_FAILURE_SECONDS = 0.8  # that a process has, after a collective failed, to say that it is there


class Processes:
    """The processes of the cluster. There is one instance, `processes`.

    Attributes:
        index: The index of this process.
        count: The number of processes.
        timeout: Seconds to wait for the others; None before `initialize` connected them.
        died: When the failure detector saw that a process has died, by index.
        is_failing: Whether this process raises an error that names such a process.
    """

    def __init__(self) -> None:
        self.index, self.count = 0, 1
        self.timeout: float | None = None
        self.died: dict[int, float] = {}
        self.is_failing = False
        self._exchanges: dict[str, int] = {}  # by name, as each needs a name of its own

    def next_name(self, name: str) -> str:
        """Returns a name that no exchange has had, and that is the same in all processes."""
        number = self._exchanges[name] = self._exchanges.get(name, 0) + 1
        return f"{name} {number}"


processes = Processes()


def is_primary() -> bool:
    """Returns whether this process writes files and shows progress, which is the first one."""
    if processes.timeout is not None or settings.distribution is None:
        return processes.index == 0
    return settings.distribution.process_index == 0


class ProcessError(KerasError, RuntimeError):
    """A process of the cluster has ended, does not answer, or does something else.

    Args:
        source: What failed.
        expected: What all processes do.
        received: Which process does not.
        fix: What the user can do.
    """

    def __init__(self, source: str, *, expected: str, received: str, fix: str):
        super().__init__(source)
        self.source, self.expected, self.received, self.fix = source, expected, received, fix


class MissingProcessError(ProcessError):
    """A process has ended, or does not take part within the timeout."""


def exchange_text(name: str, text: str = "", source: str = "", fix: str = "") -> list[str]:
    """Returns the texts of all processes, by process. It also waits for all of them.

    Args:
        name: A name for what is exchanged.
        text: The text of this process.
        source: The caller, for the error. Default: the name.
        fix: The last part of the error.

    Raises:
        ProcessError: A process has not sent its text within the timeout.
    """
    if processes.timeout is None:
        return [text]
    texts = _exchange(processes.next_name(name), text, processes.timeout)
    missing = [i for i, found in enumerate(texts) if found is None]
    if missing:
        raise MissingProcessError(
            source or name,
            expected=f"a call in all {processes.count} processes, within {processes.timeout:g} s",
            received=f"none in {_list_processes(missing)}",
            fix=fix or "look at the output of that process first",
        )
    return cast(list[str], texts)


def _exchange(name: str, text: str, timeout: float) -> list[str | None]:
    try:
        return cast(SupportsProcesses, current()).exchange_text(name, text, timeout)
    except Exception:  # process 0, which keeps the texts, has ended
        return [None, *[text] * (processes.count - 1)]


def _list_processes(indices: list[int]) -> str:
    return f"process{'es' if len(indices) > 1 else ''} {', '.join(map(str, indices))}"


def explain_failure(source: str, error: BaseException) -> BaseException:
    """Returns the error to raise for one that ended a training: another process may be the cause.

    Args:
        source: What failed, for example the model and `"fit"`.
        error: An error of the program, or of the framework.
    """
    is_own = isinstance(error, KerasError) or not _is_collective_error(error)
    if processes.timeout is None or is_own:
        return error
    processes.is_failing = True
    missing = _find_missing()
    who = _list_processes(missing or [i for i in range(processes.count) if i != processes.index])
    return ProcessError(
        f"{source}, process {processes.index} of {processes.count}",
        expected="all processes, in each step",
        received=f"{who} has ended or does not answer; the framework says: {_first_line(error)}",
        fix="look at the output of that process first: it has the cause",
    )


def _find_missing() -> list[int]:
    """Returns the processes that have died, or else those that do not answer."""
    end = time.monotonic() + _DETECTION_SECONDS
    while not processes.died and time.monotonic() < end:
        time.sleep(0.01)
    if processes.died:
        return list(processes.died)
    texts = _exchange(processes.next_name("failure"), "here", _FAILURE_SECONDS)
    return [i for i, text in enumerate(texts) if text is None]


def _is_collective_error(error: BaseException) -> bool:
    text = str(error).lower()
    words = ["gloo", "nccl"]
    if type(error).__module__.split(".")[0] != "builtins":  # PyTorch raises RuntimeError
        words += ["collective", "all-reduce", "allreduce", "connection", "unavailable"]
    return any(w in text for w in words)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no message").splitlines()[0][:300]


@contextmanager
def agreement(source: str) -> Iterator[None]:
    """Context manager in which all processes succeed, or all raise an error at its end.

    Args:
        source: The caller, for the error.

    Raises:
        ProcessError: The code inside has raised in another process.
    """
    try:
        yield
    except MissingProcessError:
        raise
    except BaseException as error:
        exchange_text("agreement", f"{type(error).__name__}: {_first_line(error)}", source)
        raise
    texts = exchange_text("agreement", source=source)
    failed = [(i, text) for i, text in enumerate(texts) if text]
    if failed:
        raise ProcessError(
            source,
            expected="no error in any process",
            received=f"in process {failed[0][0]}: {failed[0][1]}",
            fix="look at the output of that process first: it has the cause",
        )


def check_same(source: str, facts: dict[str, Any]) -> None:
    """Raises unless all processes have the same facts: it names the first that differs.

    Args:
        source: The caller, for the error.
        facts: Values by what they are, as short texts.

    Raises:
        SpecError: One differs.
    """
    if processes.timeout is None:
        return
    lines = [f"{key}: {value}" for key, value in facts.items()]
    texts = exchange_text("facts", "\n".join(lines), source)
    for i, text in enumerate(texts):
        if text != texts[0]:
            pairs = zip(texts[0].splitlines(), text.splitlines(), strict=False)
            first = next(((a, b) for a, b in pairs if a != b), ("fewer lines", "more lines"))
            raise SpecError(
                source,
                expected="the same weights, data, seeds and options in all processes",
                received=f"{first[0]!r} in process 0, {first[1]!r} in process {i}",
                fix="call keras.distribution.initialize() first, and build and load the same",
            )
