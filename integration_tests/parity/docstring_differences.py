"""Examples of real Keras's docstrings that are not run, or deliberately give something else."""

NOT_RUN = {
    "keras.config.set_backend": "loads another backend for the whole process",
    "keras.Model.save_weights": "a model of half a gigabyte, saved four times",
    "keras.backend.clear_session": "collects garbage a hundred times: half a minute",
}
"""By the name of the docstring: why."""

_ONE_SAMPLE = "targets (5,) for outputs (5, 10) are refused; in Keras batches of one broadcast"

KNOWN: dict[str, tuple[str, str]] = {
    "keras.callbacks.BackupAndRestore-0": ("", _ONE_SAMPLE),
    "keras.callbacks.EarlyStopping-0": ("", _ONE_SAMPLE),
    "keras.device-0": (
        "tensorflow",
        "a device that is not there is refused; TensorFlow passes it over",
    ),
    "keras.device-1": (
        "tensorflow",
        "a device that is not there is refused; TensorFlow passes it over",
    ),
    "keras.initializers.get-3": ("", "the name of an object that is private in Keras, too"),
}
"""By the docstring and the number of the example: the backends ("" is all), and who is right."""


def known_difference(example: str, backend: str) -> str | None:
    """Returns why an example gives something else, if that is deliberate."""
    backends, reason = KNOWN.get(example, ("none", ""))
    return reason if not backends or backend in backends.split() else None
