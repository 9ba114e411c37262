"""Arguments that take one of a few words: others are refused, by name and with the choices."""

from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.testing.conformance.assertions import flatten_results


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


ROWS, IMAGE, VOLUME = zeros(1, 4, 2), zeros(1, 4, 4, 2), zeros(1, 4, 4, 4, 2)
FORMATS = ("channels_last", "channels_first")
PADDINGS = ("valid", "same")
RGB = zeros(1, 4, 4, 3)
EYE = np.eye(2, dtype="float32")

# Each row: the op, its operands, its options; the argument; its choices.
CHOICES: list[tuple[Any, tuple[Any, ...], dict[str, Any], str, tuple[str, ...]]] = [
    (ops.conv, (ROWS, zeros(2, 2, 3)), {}, "padding", PADDINGS),
    (ops.conv, (IMAGE, zeros(2, 2, 2, 3)), {"strides": 2}, "padding", PADDINGS),
    (ops.conv, (VOLUME, zeros(2, 2, 2, 2, 3)), {}, "padding", PADDINGS),
    (ops.depthwise_conv, (IMAGE, zeros(2, 2, 2, 1)), {}, "padding", PADDINGS),
    (ops.separable_conv, (IMAGE, zeros(2, 2, 2, 1), zeros(1, 1, 2, 3)), {}, "padding", PADDINGS),
    (ops.conv_transpose, (IMAGE, zeros(2, 2, 3, 2)), {"strides": 2}, "padding", PADDINGS),
    (ops.max_pool, (ROWS, 3), {"strides": 2}, "padding", PADDINGS),
    (ops.average_pool, (IMAGE, 3), {"strides": 2}, "padding", PADDINGS),
    (ops.conv, (IMAGE, zeros(2, 2, 2, 3)), {}, "data_format", FORMATS[:1]),
    (ops.depthwise_conv, (IMAGE, zeros(2, 2, 2, 1)), {}, "data_format", FORMATS[:1]),
    (ops.conv_transpose, (IMAGE, zeros(2, 2, 3, 2)), {"strides": 2}, "data_format", FORMATS[:1]),
    (ops.max_pool, (IMAGE, 2), {}, "data_format", FORMATS),
    (ops.average_pool, (IMAGE, 2), {}, "data_format", FORMATS),
    (ops.adaptive_max_pool, (IMAGE, 2), {}, "data_format", FORMATS),
    (ops.adaptive_average_pool, (IMAGE, 2), {}, "data_format", FORMATS),
    (ops.depth_to_space, (zeros(1, 4, 4, 4), 2), {}, "data_format", FORMATS),
    (ops.space_to_depth, (zeros(1, 4, 4, 4), 2), {}, "data_format", FORMATS),
    (ops.image.resize, (RGB, (2, 2)), {}, "interpolation",
     ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")),
    (ops.image.resize, (RGB, (2, 2)), {}, "data_format", FORMATS[:1]),
    (ops.image.affine_transform, (RGB, zeros(1, 8)), {}, "interpolation", ("nearest", "bilinear")),
    (ops.image.affine_transform, (RGB, zeros(1, 8)), {}, "fill_mode",
     ("constant", "nearest", "wrap", "mirror", "reflect")),
    (ops.image.map_coordinates, (zeros(4), zeros(1, 3), 1), {}, "fill_mode",
     ("constant", "nearest", "wrap", "mirror", "reflect")),
    (ops.image.extract_patches, (RGB, (2, 2)), {}, "padding", PADDINGS),
    (ops.image.rgb_to_grayscale, (RGB,), {}, "data_format", FORMATS[:1]),
    (ops.image.gaussian_blur, (RGB,), {}, "data_format", FORMATS),
    (ops.image.crop_images, (RGB, 1, 1, 1, 1), {}, "data_format", FORMATS),
    (ops.image.pad_images, (RGB, 1, 1, 1, 1), {}, "data_format", FORMATS),
    (ops.pad, (zeros(4), 1), {}, "mode", ("constant", "reflect", "symmetric")),
    (ops.scatter_update, (zeros(4), zeros(1, 1, dtype="int32"), zeros(1)), {}, "reduction",
     ("add", "max", "min", "mul")),
    (ops.searchsorted, (zeros(4), zeros(2)), {}, "side", ("left", "right")),
    (ops.correlate, (zeros(4), zeros(2)), {}, "mode", ("valid", "same", "full")),
    (ops.qr, (EYE,), {}, "mode", ("reduced", "complete")),
    (ops.quantile, (zeros(4), 0.5), {}, "method",
     ("linear", "lower", "higher", "midpoint", "nearest")),
    (ops.percentile, (zeros(4), 50.0), {}, "method",
     ("linear", "lower", "higher", "midpoint", "nearest")),
    (ops.stft, (zeros(64), 8, 4, 8), {}, "window", ("hann", "hamming")),
    (ops.norm, (EYE,), {}, "ord", ("fro", "nuc")),
    (ops.ctc_decode, (zeros(1, 3, 2), np.array([3], "int32")), {}, "strategy",
     ("greedy", "beam_search")),
]  # fmt: skip
ANY_CASE = {"padding"}
"""Words that Keras takes in capitals, too."""


def row_id(row: Any) -> str:
    function, operands, _, argument, _ = row
    return f"{function.__name__}-{argument}-{np.ndim(operands[0])}"


rows = pytest.mark.parametrize("row", [pytest.param(row, id=row_id(row)) for row in CHOICES])


def both_forms(row: Any, value: Any) -> tuple[Any, Any]:
    """A concrete and a symbolic call, without arguments."""
    function, operands, options, argument, _ = row

    def symbol(x: Any) -> Any:
        if isinstance(x, list):
            return list(map(symbol, x))
        return keras.KerasTensor(x.shape, x.dtype.name) if isinstance(x, np.ndarray) else x

    return (
        lambda: function(*operands, **{**options, argument: value}),
        lambda: function(*map(symbol, operands), **{**options, argument: value}),
    )


@rows
@pytest.mark.parametrize("value", ["foo", ""])
def test_another_word_is_refused_with_the_choices(row: Any, value: Any) -> None:
    _, _, _, argument, choices = row
    for call in both_forms(row, value):
        with pytest.raises(SpecError) as caught:
            call()
        text = str(caught.value)
        assert argument in text and all(choice in text for choice in choices), text
        assert repr(value) in text, text


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row_id(row)) for row in CHOICES if row[3] in ("padding", "mode")],
)
def test_each_choice_infers_the_shape_of_its_result(row: Any) -> None:
    for choice in row[-1]:
        words = [choice, choice.upper()] if row[3] in ANY_CASE else [choice]
        shapes = []
        for word in words:
            concrete, symbolic = (flatten_results(call()) for call in both_forms(row, word))
            for x, y in zip(concrete, symbolic, strict=True):
                assert is_compatible(tuple(x.shape), tuple(y.shape)), word
            shapes.append([tuple(x.shape) for x in concrete])
        assert all(shape == shapes[0] for shape in shapes)
