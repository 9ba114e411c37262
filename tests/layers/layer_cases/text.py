"""Rows of layers of strings and of lookup."""

from typing import Any

from layer_cases.case import LayerCase, ints, strings

_WORDS = ["a", "b", "É"]
_ROWS = strings([["a", "É", "x"], ["b", "b", "世界"]])
_TEXTS = strings([["The cat, the É."], ["dog ran\tfar"]])
_INT64 = "vectors of lookup layers are floats in Keras's specs, and int64 in its results"


def _vectors(cls: str, mode: str, inputs: Any, **arguments: Any) -> LayerCase:
    differs = {} if mode == "tf_idf" else {"dtypes": _INT64}
    return LayerCase(
        cls, {"output_mode": mode, **arguments}, inputs, mode, host=True, differs=differs
    )


CASES = [
    LayerCase("StringLookup", {"vocabulary": _WORDS}, _ROWS, host=True),
    LayerCase(
        "StringLookup", {"vocabulary": _WORDS, "num_oov_indices": 3, "mask_token": "x"}, _ROWS,
        "hashed", host=True,
    ),
    LayerCase(
        "StringLookup", {"vocabulary": _WORDS, "num_oov_indices": 5, "salt": [3, 4]}, _ROWS,
        "salted", host=True,
    ),
    LayerCase(
        "StringLookup", {"vocabulary": _WORDS, "invert": True}, ints(2, 3), "inverse", host=True,
        differs={"symbol": "Keras's spec says int64, its results are strings"},
    ),
    _vectors("StringLookup", "one_hot", _ROWS, vocabulary=_WORDS),
    _vectors("StringLookup", "multi_hot", _ROWS, vocabulary=_WORDS, max_tokens=6,
             pad_to_max_tokens=True),
    _vectors("StringLookup", "tf_idf", _ROWS, vocabulary=_WORDS, idf_weights=[0.5, 1.5, 2.0]),
    LayerCase("IntegerLookup", {"vocabulary": [5, 2, 3]}, ints(2, 3)),
    LayerCase(
        "IntegerLookup", {"vocabulary": [5, 2], "num_oov_indices": 3, "mask_token": 1}, ints(2, 3),
        "remainders",
    ),
    LayerCase(
        "IntegerLookup",
        {"vocabulary": [5, 2], "num_oov_indices": 3, "oov_method": "farmhash", "salt": 7},
        ints(2, 3), "salted", host=True,
    ),
    LayerCase(
        "IntegerLookup", {"vocabulary": [5, 2], "invert": True}, ints(2, 3, high=4), "inverse",
    ),
    _vectors("IntegerLookup", "count", ints(2, 3), vocabulary=[5, 2, 3]),
    LayerCase(
        "TextVectorization", {"vocabulary": ["the", "cat", "É"], "output_sequence_length": 3},
        _TEXTS, host=True,
    ),
    LayerCase(
        "TextVectorization",
        {"standardize": None, "split": "character", "vocabulary": ["a", "É", " "]}, _TEXTS,
        "characters", host=True,
    ),
    LayerCase(
        "TextVectorization",
        {"standardize": "lower", "ngrams": 2, "vocabulary": ["cat,", "dog ran", "the É."]}, _TEXTS,
        "n-grams", host=True,
    ),
    LayerCase(
        "TextVectorization", {"output_mode": "tf_idf", "vocabulary": ["the", "cat"],
        "idf_weights": [0.5, 2.0]}, _TEXTS, "tf_idf", host=True,
        differs={"symbol": "Keras's spec keeps the axis of size 1, its results do not"},
    ),
    LayerCase("Hashing", {"num_bins": 11, "dtype": "int32"}, _ROWS, host=True),
    LayerCase("Hashing", {"num_bins": 11, "salt": 133, "mask_value": "b"}, _ROWS, "salted",
              host=True),
    LayerCase("Hashing", {"num_bins": 11, "output_mode": "count"}, ints(2, 3), "count", host=True),
    LayerCase(
        "HashedCrossing", {"num_bins": 11, "dtype": "int32"},
        [strings([["a"], ["b"]]), ints(2, 1)], host=True,
    ),
    LayerCase(
        "HashedCrossing", {"num_bins": 11, "output_mode": "one_hot"},
        [strings([["a"], ["b"]]), strings([["É"], ["x"]])], "one_hot", host=True,
    ),
]  # fmt: skip
