"""Batches that come one by one: from generators, loaders and data sets of any library."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.cleanup import at_end_of_run
from keras_fn.data_adapters.data_adapter_utils import Rows
from keras_fn.data_adapters.prefetch import Prefetch
from keras_fn.errors import SpecError

Arrange = Callable[[Any], Rows]


class Fetched:
    """Base of batches that come one by one: they are on the device when the step wants them.

    Attributes:
        origin: The epoch for which the source began. In a run that is resumed in a new process,
            what the epochs since then had is passed over.
        place: Where in the source the batch ended that was handed out last, if it can tell.
    """

    def __init__(self, source: Any, arrange: Arrange, steps: int | None, background: bool):
        self.source, self.arrange, self.steps, self.background = source, arrange, steps, background
        self.origin: int | None = None
        self._begun = False  # whether an epoch has
        self._prefetch: Prefetch | None = None
        self.place: Any = None
        at_end_of_run(self.close)

    def _fetched(self, items: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each of the items."""
        self.close_thread()
        # The place beside the batch, as it was then: a thread is ahead of the steps.
        batches: Iterator[Any] = ((self._tensors(item), self._where()) for item in items)
        if self.background:
            batches = self._prefetch = Prefetch(batches)
        try:
            for tensors, self.place in batches:
                yield tensors, None
        finally:
            self.close_thread()

    def _tensors(self, batch: Any) -> Any:
        convert = current().convert_to_tensor
        return tuple(
            None if group is None else [None if a is None else convert(a) for a in group]
            for group in self.arrange(batch)
        )

    def _check_steps(self, done: int) -> None:
        """Tells of an epoch that ended before its steps were done."""
        if self.steps is not None and done < self.steps:
            warnings.warn(
                f"The data ended after {done} batches, and {self.steps} steps were asked for: the "
                "epoch is as long as the data. Ask for fewer steps, or pass data that repeats.",
                stacklevel=2,
            )

    def _where(self) -> Any:
        """The place in the source, where that is wanted and the source can tell it."""

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run must know to find its place."""
        return {"origin": self.origin}

    def _passed(self, epoch: int) -> int:
        """The number of epochs that the run which this one resumes has had of its source."""
        self.origin = epoch if self.origin is None else self.origin
        passed = 0 if self._begun else epoch - self.origin
        self._begun = True
        return passed

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on as the run that had this state.

        Raises:
            SpecError: It had data of another kind.
        """
        if state.keys() != self.get_state().keys():
            raise SpecError(
                "fit",
                expected="the data that the run began with",
                received=f"{type(self.source).__name__}",
                fix="pass the same data, or use another folder for the backup",
            )
        vars(self).update(state)

    def close_thread(self) -> None:
        """Ends the fetching ahead."""
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch = None

    def close(self) -> None:
        """Ends what runs beside the steps."""
        self.close_thread()


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):  # it has none, or does not know it
        return None
