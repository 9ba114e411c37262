"""Mixing of each sample of a batch with another one."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import take
from keras_fn.ops.manipulation import reshape
from keras_fn.random import shuffle
from keras_fn.types import Nested, Tensor


def draw_order(batch: Any, seed: Any) -> Tensor:
    """Returns the index of the sample that each is mixed with: a permutation of a batch."""
    return shuffle(arange(batch, dtype="int32"), seed=seed)


def mix(x: Tensor, order: Tensor, weight: Tensor) -> Tensor:
    """Returns `weight * x + (1 - weight) * x[order]`.

    Args:
        x: Floats, with a batch axis.
        order: The index of the sample that each is mixed with.
        weight: One weight for each sample.
    """
    rank = len(x.shape)
    weight = reshape(cast(weight, dtype_of(x)), (-1, *[1] * (rank - 1)))
    return add(multiply(weight, x), multiply(subtract(1.0, weight), take(x, order, axis=0)))


def mix_labels(labels: Any, order: Tensor, weight: Tensor, source: str) -> Tensor:
    """Mixes labels: one-hot, probabilities or other floats, of any rank.

    Returns:
        Floats: of the dtype of `labels`, float32 for integers.

    Raises:
        SpecError: The labels are class indices.
    """
    labels = convert_to_tensor(labels)
    name, shape = dtype_of(labels), tuple(labels.shape)
    if not dtypes.is_float(name) and (len(shape) < 2 or shape[-1] == 1):
        raise SpecError(
            source,
            expected="labels that can be mixed: one-hot, of shape (batch, classes), or floats",
            received=f"labels of shape {shape} and dtype {name}",
            fix="use keras.ops.one_hot(labels, num_classes)",
        )
    return mix(cast(labels, name if dtypes.is_float(name) else "float32"), order, weight)


class BaseMixing(BaseImagePreprocessingLayer):
    """Base class of layers that mix each sample with another one, and its label.

    Their transformations have the entries `"permutation_order"` and `"mix_weight"`.
    """

    def transform_labels(
        self, labels: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Mixes the labels of a batch.

        Args:
            labels: One-hot labels, or other floats.
            transformation: What `get_random_transformation` returned.
            training: Whether to mix.

        Returns:
            Floats.

        Raises:
            ValueError: The labels are class indices.
        """
        if not self._applies(transformation, training):
            return labels
        order, weight = transformation["permutation_order"], transformation["mix_weight"]
        return mix_labels(labels, order, weight, self._label)
