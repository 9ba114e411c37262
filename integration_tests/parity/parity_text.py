"""Drawn configurations of lookups, text vectorization and hashing, next to real Keras.

`nox -s "parity(tensorflow)"` runs it, on the backend on which all of Keras's text layers work; the
results of ours are the same on every backend. Compared are learned vocabularies and results.
"""

import random
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

if keras.config.backend() != "tensorflow":
    pytest.skip("Keras's text layers need TensorFlow", allow_module_level=True)

SEEDS, CASES = 6, 100
WORDS = [
    "a", "b", "cc", "Dog", "dog!", "the", "THE", "é", "École", "世界", "😀", "x-y", "[UNK]", "",
    "don't", "a.b", "  ", "tab\there", "q" * 20, "w" * 70,
]  # fmt: skip
TOKENS = [word for word in WORDS if word not in ("", "[UNK]")]
INTEGERS = [1, 2, 5, 7, 9, 11, -2, 2**35]
MODES = ("int", "int", "one_hot", "multi_hot", "count", "tf_idf")
SHAPES: list[tuple[int, ...]] = [(5,), (4, 1), (3, 4), (1, 1)]


def draw_words(draw: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    return np.array(draw.choices(WORDS, k=int(np.prod(shape))), object).reshape(shape)


def draw_integers(draw: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    numbers = [draw.choice([draw.randint(-3, 12), draw.randint(-(2**40), 2**40), 5, 7])
               for _ in range(int(np.prod(shape)))]  # fmt: skip
    return np.array(numbers, np.int64).reshape(shape)


def draw_texts(draw: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    spaces = [" ", "  ", "\n", " \t"]
    texts = [draw.choice(spaces).join(draw.choices(WORDS, k=draw.randint(1, 8)))
             for _ in range(int(np.prod(shape)))]  # fmt: skip
    return np.array(texts, object).reshape(shape)


def draw_lookup(draw: random.Random) -> tuple[str, dict[str, Any], Any, Any]:
    is_text = draw.random() < 0.5
    draw_values = draw_words if is_text else draw_integers
    mode = draw.choice(MODES)
    kwargs: dict[str, Any] = {"output_mode": mode, "num_oov_indices": draw.choice([1, 1, 2, 3, 5])}
    if draw.random() < 0.4:
        kwargs["mask_token"] = draw.choice(["", "a", "zzz"]) if is_text else draw.choice([0, 5, -3])
    if draw.random() < 0.3:
        kwargs.update(max_tokens=draw.choice([9, 12, 40]), pad_to_max_tokens=mode != "int")
    if not is_text and draw.random() < 0.5:
        kwargs["oov_method"] = "farmhash"
    if draw.random() < 0.3 and (is_text or "oov_method" in kwargs):
        kwargs["salt"] = draw.choice([3, [7, 11], 2**60])
    data = draw_values(draw, draw.choice([(30,), (10, 3), (20, 1)]))
    if draw.random() < 0.4:
        data = None
        kwargs["vocabulary"] = draw.sample(TOKENS if is_text else INTEGERS, 4)
        if kwargs.get("mask_token") in kwargs["vocabulary"]:
            del kwargs["mask_token"]
        if mode == "tf_idf":
            kwargs["idf_weights"] = [0.5, 1.0, 1.5, 2.25]
    return (
        "StringLookup" if is_text else "IntegerLookup",
        kwargs,
        data,
        draw_values(draw, draw.choice(SHAPES)),
    )


def draw_vectorization(draw: random.Random) -> tuple[str, dict[str, Any], Any, Any]:
    mode = draw.choice([mode for mode in MODES if mode != "one_hot"])
    kwargs: dict[str, Any] = {
        "output_mode": mode,
        "standardize": draw.choice(
            ["lower_and_strip_punctuation", "lower", "strip_punctuation", None]
        ),
        "split": draw.choice(["whitespace", "whitespace", "character", None]),
        "ngrams": draw.choice([None, None, 1, 2, 3, (1, 3), (3, 1)]),
    }
    if mode == "int":
        kwargs["output_sequence_length"] = draw.choice([None, 1, 3, 8])
    if draw.random() < 0.3:
        kwargs.update(max_tokens=draw.choice([7, 12, 40]), pad_to_max_tokens=mode != "int")
    shape = draw.choice([(5,), (4, 1)] if kwargs["split"] else [(4, 1), (3, 4)])
    return "TextVectorization", kwargs, draw_texts(draw, (12,)), draw_texts(draw, shape)


def draw_hashing(draw: random.Random) -> tuple[str, dict[str, Any], Any, Any]:
    kwargs: dict[str, Any] = {"num_bins": draw.choice([1, 2, 3, 10, 1000])}
    if draw.random() < 0.4:
        shape = draw.choice([(5,), (4, 1)])
        features = [draw.choice([draw_words, draw_integers])(draw, shape) for _ in range(3)]
        kwargs["output_mode"] = draw.choice(["int", "one_hot"])
        return "HashedCrossing", kwargs, None, features[: draw.choice([2, 3])]
    is_text = draw.random() < 0.5
    kwargs["output_mode"] = draw.choice(["int", "one_hot", "multi_hot", "count"])
    if draw.random() < 0.4:
        kwargs["mask_value"] = draw.choice(["", "a"]) if is_text else draw.choice([0, 5])
    if draw.random() < 0.4:
        kwargs["salt"] = draw.choice([133, [1, 2], 2**61 + 7])
    return (
        "Hashing",
        kwargs,
        None,
        (draw_words if is_text else draw_integers)(draw, draw.choice(SHAPES)),
    )


def answer(package: Any, cls: str, kwargs: dict[str, Any], data: Any, inputs: Any) -> Any:
    """Returns the vocabulary and the result as an array."""
    layer = getattr(package.layers, cls)(**kwargs)
    if data is not None:
        layer.adapt(data)
    vocabulary = list(map(str, layer.get_vocabulary())) if hasattr(layer, "adapt") else None
    return vocabulary, np.asarray(package.ops.convert_to_numpy(layer(inputs)))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_drawn_layers_answer_as_those_of_keras(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(CASES):
        kind = draw.choice([draw_lookup, draw_vectorization, draw_hashing])
        case = kind(draw)
        vocabulary, expected = answer(keras, *case)
        ours, found = answer(keras_fn, *case)
        assert ours == vocabulary, case
        np.testing.assert_allclose(found, expected, rtol=1e-5, err_msg=str(case))
