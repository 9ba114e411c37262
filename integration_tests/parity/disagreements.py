"""Where real Keras 3.15.1 and this package disagree, by op and backend, and who is right."""

KNOWN: dict[tuple[str, str], str] = {}

_TOP = "Keras refuses k above the number of classes on PyTorch; ours counts all classes, as on JAX."
_SCALED = (
    "Probabilities that do not add up to 1: Keras on TensorFlow clips them before it divides by "
    "their sum, on JAX and PyTorch after; ours does the latter everywhere."
)
_HALF = "Keras on TensorFlow takes no float16 here; ours does."
KNOWN_IN_TRAINING: dict[str, dict[str, str]] = {
    "optimizers.ScheduleFreeAdamW": {
        "ours [": "In Keras the variable is the average x of the paper and beta_1 has no effect; "
        "ours is the mixture of x and z, as the paper and Keras's documentation say.",
    },
    "metrics.SparseCategoricalCrossentropy": {
        "ignore_class": "Keras divides by the number of all samples, or fails to broadcast the "
        "weights; ours leaves the ignored ones out of the mean, as the loss does in both.",
    },
    "losses.SparseCategoricalCrossentropy": {
        "scaled_p": _SCALED,
        'Keras raises RuntimeError: ["output with shape': "With ignore_class on PyTorch Keras does "
        "not broadcast the weights to the mask; ours does, as Keras on JAX.",
    },
    "losses.sparse_categorical_crossentropy": {
        "scaled_p": _SCALED,
        "ours is float16, Keras's float32": "Keras on JAX alone widens float16 predictions here.",
    },
    "losses.cosine_similarity": {
        "'float16'": "Keras gives NaN for a vector of zeros in float16, ours 0.",
    },
    "optimizers.LossScaleOptimizer": {
        "Keras raises UnexpectedTracerError": "Keras on JAX cannot apply it outside of jit.",
    },
    "metrics.top_k_categorical_accuracy": {"InTopKV2": _HALF},
    "metrics.sparse_top_k_categorical_accuracy": {"InTopKV2": _HALF},
    "losses.mean_squared_logarithmic_error": {
        "ours is float16, Keras's float32": "Keras takes logarithms of integer targets in float32; "
        "ours converts targets to the dtype of the predictions, as the other losses of both do.",
    },
    "metrics.TopKCategoricalAccuracy": {"'k': 5": _TOP},
    "metrics.SparseTopKCategoricalAccuracy": {"'k': 5": _TOP},
}
"""By loss, metric or optimizer: a part of what the test says of the call, and who is right."""
