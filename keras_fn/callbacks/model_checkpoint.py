"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import os
from pathlib import Path
from typing import Any

from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.saving_callback import SavingCallback
from keras_fn.errors import SpecError


class ModelCheckpoint(SavingCallback):
    """Saves the model, or its weights, after each epoch or some batches.

    Args:
        filepath: The file. `{epoch}`, `{batch}` and names in the logs are filled in, with a format
            if one is given: `"{epoch:02d}-{val_loss:.2f}.keras"`. It ends with `.keras` or `.h5`;
            with `save_weights_only`, with `.weights.h5`.
        monitor: The number to go by with `save_best_only`.
        verbose: 1 to print what is done.
        save_best_only: Whether to save only where `monitor` is better than ever before.
        save_weights_only: Whether to save the weights only.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        save_freq: `"epoch"`, or after how many batches.
        initial_value_threshold: What `monitor` must be better than to be saved at all.

    Raises:
        ValueError: `save_freq` is neither, or the file has another ending.

    Example:
        >>> class Model:
        ...     def save(self, filepath, overwrite): print("saved", filepath)
        >>> callback = keras.callbacks.ModelCheckpoint("best.keras", "loss", save_best_only=True)
        >>> callback.set_model(Model())
        >>> for epoch, loss in enumerate([0.5, 0.6]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        saved best.keras
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(
            monitor,
            verbose,
            save_best_only,
            save_weights_only,
            mode,
            save_freq,
            initial_value_threshold,
        )
        self.filepath = os.fspath(filepath)
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise SpecError(
                "ModelCheckpoint",
                expected=f"a filepath that must end in {' or '.join(endings)}",
                received=f"{self.filepath!r}",
                fix=f"add {endings[0]} to it",
            )

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save(epoch, logs):
            return
        if os.path.isdir(filepath):
            raise IsADirectoryError(
                f"ModelCheckpoint: {filepath} is a folder.\n  fix: give filepath the name of a file"
            )
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(filepath, overwrite=True)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: finished saving model to {filepath}")

    def _get_file_path(self, epoch: int, batch: int | None, logs: Any) -> str:
        """Returns the file's name with all placeholders filled in."""
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} names {error}, which the logs do not have. "
                f"They have: {', '.join(values)}."
            ) from error
