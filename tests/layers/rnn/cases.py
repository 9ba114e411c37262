"""Recurrent layers, inputs and weights whose outputs were noted from Keras 3.15.1.

`python cases.py` in an environment with Keras (its TensorFlow backend) writes `keras_values.npz`.
"""

from pathlib import Path

import numpy as np

VALUES = Path(__file__).with_name("keras_values.npz")
BATCH, TIME, FEATURES = 3, 5, 4

MASKS = {
    "right": [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]],
    "left": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
    "holes": [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 0, 1, 1]],
}
LAYERS = {
    "simple": lambda L, **o: L.SimpleRNN(3, **o),
    "lstm": lambda L, **o: L.LSTM(3, **o),
    "gru": lambda L, **o: L.GRU(3, **o),
    "lstm_relu": lambda L, **o: L.LSTM(
        3, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False, **o
    ),
    "gru_before": lambda L, **o: L.GRU(3, reset_after=False, **o),
    "gru_plain": lambda L, **o: L.GRU(3, activation="elu", use_bias=False, implementation=1, **o),
    "stacked": lambda L, **o: L.RNN([L.LSTMCell(2), L.GRUCell(3), L.SimpleRNNCell(2)], **o),
    "both": lambda L, **o: L.Bidirectional(L.LSTM(3, **o)),
    "both_sum": lambda L, **o: L.Bidirectional(L.GRU(3, **o), merge_mode="sum"),
    "both_mul": lambda L, **o: L.Bidirectional(L.SimpleRNN(3, **o), merge_mode="mul"),
    "both_ave": lambda L, **o: L.Bidirectional(L.LSTM(3, **o), merge_mode="ave"),
    "both_none": lambda L, **o: L.Bidirectional(L.GRU(3, **o), merge_mode=None),
    "over_time": lambda L, **o: L.TimeDistributed(L.Dense(3, activation="tanh")),
}
OPTIONS = {
    "last": {},
    "all": {"return_sequences": True},
    "states": {"return_sequences": True, "return_state": True},
    "back": {"return_sequences": True, "return_state": True, "go_backwards": True},
    "last_back": {"return_state": True, "go_backwards": True},
    "unrolled": {"return_sequences": True, "return_state": True, "unroll": True},
    "zeroed": {"return_sequences": True, "return_state": True, "zero_output_for_mask": True},
    "zeroed_last": {"return_state": True, "zero_output_for_mask": True},
}
_BOTH = {"last", "all", "states", "unrolled"}
CASES = [
    (layer, option, mask)
    for layer in LAYERS
    for option in (["last"] if layer == "over_time" else OPTIONS)
    for mask in (None, *MASKS)
    if (not layer.startswith("both") or option in _BOTH)
    # Keras zeroes unrolled backward outputs at the wrong end, so those are not noted.
    and not (layer.startswith("both") and option == "unrolled" and mask)
    and (layer in ("lstm", "stacked") or mask in (None, "holes"))
]


def inputs():
    return np.random.default_rng(7).normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def outputs(L, layer, option, mask, initial_state=None):
    """Returns the outputs of a case in the namespace `L` of layers, as a list of tensors."""
    made = LAYERS[layer](L, **OPTIONS[option])
    made.build((BATCH, TIME, FEATURES))
    draws = np.random.default_rng(11)
    made.set_weights([draws.normal(size=w.shape).astype("float32") * 0.7 for w in made.weights])
    options = {} if mask is None else {"mask": np.array(MASKS[mask], bool)}
    if initial_state is not None:
        options["initial_state"] = initial_state
    result = made(inputs(), **options)
    return flat(result)


def flat(result):
    return [y for x in result for y in flat(x)] if isinstance(result, (list, tuple)) else [result]


def noted():
    """Returns Keras's outputs of each case, as lists of arrays."""
    file = np.load(VALUES)
    ends = np.cumsum([int(np.prod(shape[shape > 0])) for shape in file["shapes"]])
    values = np.split(file["values"], ends[:-1])
    found = {}
    for case, shape, value in zip(file["cases"], file["shapes"], values, strict=True):
        found.setdefault(CASES[case], []).append(value.reshape(shape[shape > 0]))
    return found


def main():
    import keras

    arrays = [
        (i, np.asarray(keras.ops.convert_to_numpy(y)))
        for i, case in enumerate(CASES)
        for y in outputs(keras.layers, *case)
    ]
    np.savez_compressed(
        VALUES,
        cases=np.array([i for i, _ in arrays], "int16"),
        shapes=np.array([(*y.shape, 0)[:3] for _, y in arrays], "int8"),
        values=np.concatenate([y.ravel() for _, y in arrays]),
    )


if __name__ == "__main__":
    main()
