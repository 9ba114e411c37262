"""ModelCheckpoint: saves the model during training."""

import os
from pathlib import Path
from typing import Any

from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.saving_callback import SavingCallback
from keras_fn.core.argument_forms import PATH, check_arguments
from keras_fn.errors import SpecError
from keras_fn.types import PathLike


class ModelCheckpoint(SavingCallback):
    """Model checkpointing: saves the model or its weights at some frequency.

    Args:
        filepath: Path of the file, with the extension `.keras` or `.h5`; with `save_weights_only`
            `.weights.h5`, `.safetensors`, or `.checkpoint` for a sharded checkpoint, a folder that
            all processes write together. It may contain the placeholders `{epoch}`, `{batch}`
            and names in the logs, with a format: `"{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: Name of the quantity to monitor with `save_best_only`.
        verbose: 0 for silent, 1 for a message at each save.
        save_best_only: Whether to save only when `monitor` has improved.
        save_weights_only: Whether to save only the weights instead of the whole model.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        save_freq: `"epoch"`, or the number of batches between two saves.
        initial_value_threshold: Initial best value of `monitor`; None to save the first time.

    Raises:
        ValueError: `save_freq` is neither `"epoch"` nor an integer, or the file has another
            extension.

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
        filepath: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
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
        check_arguments("ModelCheckpoint", {"filepath": PATH}, {"filepath": filepath})
        self.filepath = os.fspath(filepath)
        extensions = (
            (".weights.h5", ".safetensors", ".checkpoint")
            if save_weights_only
            else (".keras", ".h5")
        )
        if not self.filepath.endswith(extensions):
            raise SpecError(
                "ModelCheckpoint",
                expected=f"a filepath that must end in {' or '.join(extensions)}",
                received=f"{self.filepath!r}",
                fix=f"add {extensions[0]} to it",
            )

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save(epoch, logs):
            return
        if os.path.isdir(filepath) and not filepath.endswith(".checkpoint"):
            raise IsADirectoryError(
                f"ModelCheckpoint: {filepath} is a folder.\n  fix: pass the path of a file"
            )
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(filepath, overwrite=True)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: finished saving model to {filepath}")

    def _get_file_path(self, epoch: int, batch: int | None, logs: Any) -> str:
        """Returns the path of the file, with all placeholders filled in."""
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} contains {error}, which is not in the logs. "
                f"Available are: {', '.join(values)}."
            ) from error
