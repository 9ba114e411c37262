"""Habits that real Keras 3.15.1 does not have, or where its answer is another, and who is right."""

from habits import Habit

_LISTS = "Keras hands a list on to a function that refuses it; ours makes a tensor"

KNOWN: dict[str, tuple[str, str]] = {
    # ----------------------------------------------------------------- lists as tensors
    "softmax of a list": ("", _LISTS),
    "logsumexp": ("jax", _LISTS),
    "count of nonzero": ("jax", _LISTS),
    "outer": ("jax", _LISTS),
    "meshgrid": ("jax", _LISTS),
    "scatter adds": ("jax", _LISTS),
    "slice update": ("jax", _LISTS),
    "pad by pairs": ("", _LISTS),
    "tile": ("jax", _LISTS),
    "top k": ("jax", _LISTS),
    "bincount": ("jax", _LISTS),
    "sum of segments": ("", _LISTS),
    "nearest": ("", _LISTS),
    "get and set weights": ("", "values as lists of lists have no shape in Keras"),
    "crossentropy of integer labels": ("", "Keras compares the structures of a list and a tensor"),
    "crossentropy of logits": ("", "Keras compares the structures of a list and a tensor"),
    # ----------------------------------------------------------------- ops
    "concatenate ints and floats": ("tensorflow", _LISTS),
    "vstack and hstack": ("tensorflow", "`vstack` of vectors on TensorFlow joins them end to end"),
    "while loop of one value": (
        "jax tensorflow",
        "Keras iterates over the new value instead of taking it",
    ),
    "max pool": ("jax", "JAX's `reduce_window` refuses what Keras makes of one number"),
    "range in half precision": (
        "",
        "the upper end is excluded, as documented; Keras rounds up to it",
    ),
    # ----------------------------------------------------------------- variables, layers
    "list of variables": ("tensorflow", "Keras on TensorFlow mistakes a dtype's name for a dtype"),
    "dtype of a list of ints": ("torch", "Keras on PyTorch wants gradients of integers"),
    "equals": ("torch", "Keras on PyTorch wants gradients of integers"),
    "not equals": ("torch", "Keras on PyTorch wants gradients of integers"),
    "a count that is compared": ("torch", "Keras on PyTorch wants gradients of integers"),
    "no super().__init__()": ("torch", "an AttributeError of PyTorch's; ours says what to do"),
    "output shape of a custom layer": (
        "",
        "Keras asks for a method; ours runs `call` symbolically",
    ),
    "custom model built by a shape": ("", "Keras's `build` builds none of the sublayers"),
    # ----------------------------------------------------------------- training, files
    "labels as a column": ("tensorflow", "Keras loses the rank of the predictions"),
    "stateless": ("tensorflow", "Keras refuses it on TensorFlow alone"),
    "metrics_names": (
        "",
        "Keras names all metrics of `compile` 'compile_metrics'; ours names each",
    ),
    "predict of a generator": (
        "",
        "Keras wants tuples of one element; ours takes the inputs alone, too",
    ),
    "a metric alone": ("", "Keras wants a list"),
    "custom test_step": (
        "jax",
        "Keras on JAX passes the state as well; ours takes both forms",
    ),
    "legacy h5": ("", "Keras cannot read the names of losses in its own legacy files"),
}
"""By the name of the habit: the backends, "" for all of them, and who is right."""


def known_difference(habit: Habit, backend: str) -> str | None:
    """Returns why real Keras gives another answer, if it is known to."""
    backends, reason = KNOWN.get(habit.name, ("none", ""))
    return reason if not backends or backend in backends.split() else None
