"""The features and feature crosses of a `FeatureSpace`, and the layers that only it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack, cast

import numpy as np

from keras_fn.core.dtypes import is_int_dtype, standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import CustomObjectScope, register
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError, check_choice
from keras_fn.layers._arguments import argument_error, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.preprocessing._host_batch import HostBatch, encode_on_host
from keras_fn.layers.preprocessing.category_encoding import CategoryEncoding
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.layers.preprocessing.discretization import Discretization
from keras_fn.layers.preprocessing.hashed_crossing import HashedCrossing
from keras_fn.layers.preprocessing.hashing import Hashing
from keras_fn.layers.preprocessing.index_lookup import IndexLookup
from keras_fn.ops import core
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.types import DTypeLike, Tensor

MODULE = "keras.src.layers.preprocessing.feature_space"
"""The module that Keras writes into files for these classes."""

_FEATURE_MODES = ("float", "int", "one_hot")
_CROSS_MODES = ("one_hot", "int")


class Feature:
    """A column of structured data: its dtype, and the layer that preprocesses it.

    Args:
        dtype: The dtype of the raw values: `"string"`, or one of numbers.
        preprocessor: The layer, or its config.
        output_mode: What follows the layer: `"float"` and `"int"`: nothing. `"one_hot"`: its
            integers are encoded as vectors.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> from keras_fn.layers.preprocessing.feature import Feature
        >>> Feature("float32", keras.layers.Rescaling(0.1), "float").dtype
        'float32'
    """

    def __init__(self, dtype: DTypeLike, preprocessor: Layer | Mapping[str, Any], output_mode: str):
        self.dtype = standardize_dtype(dtype)
        layer = preprocessor
        if isinstance(layer, Mapping):
            layer = deserialize_keras_object(dict(layer), kind="layer")
        if not isinstance(layer, Layer):
            raise argument_error(
                self,
                "preprocessor",
                "a layer",
                preprocessor,
                "for example keras.layers.Rescaling(0.1)",
            )
        self.preprocessor: Any = layer
        self.output_mode = check_choice("Feature", "output_mode", output_mode, _FEATURE_MODES)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a feature from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        with CustomObjectScope(custom_objects):
            return cls(**config)


class Cross:
    """A feature cross: combinations of the values of several features, hashed to bins.

    Args:
        feature_names: The names of two or more features.
        crossing_dim: The number of bins.
        output_mode: `"int"`: the bin. `"one_hot"`: a vector for it.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> from keras_fn.layers.preprocessing.feature import Cross
        >>> Cross(["color", "size"], 16).name
        'color_X_size'
    """

    def __init__(
        self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ):
        is_list = isinstance(feature_names, (list, tuple))
        if not is_list or len(feature_names) < 2 or not all(map(_is_name, feature_names)):
            raise argument_error(
                self,
                "feature_names",
                "the names of two or more features",
                feature_names,
                'for example ("color", "size")',
            )
        self.feature_names = tuple(feature_names)
        self.crossing_dim = positive_int(self, "crossing_dim", crossing_dim)
        self.output_mode = check_choice("Cross", "output_mode", output_mode, _CROSS_MODES)

    @property
    def name(self) -> str:
        """The name of the cross among the encoded features, as `"color_X_size"`."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a cross from a config, as `get_config` returns it.

        Args:
            config: The config.
        """
        return cls(**config)


def _is_name(x: object) -> bool:
    return isinstance(x, str) and bool(x)


class TFDIdentity(DataLayer):
    """Identity of a feature of numbers, but for its dtype.

    Example:
        >>> from keras_fn.layers.preprocessing.feature import TFDIdentity
        >>> convert_to_numpy(TFDIdentity()(np.array([1, 2]))).tolist()
        [1.0, 2.0]
    """

    def call(self, x: Tensor) -> Tensor:
        """Returns the numbers in the compute dtype.

        Args:
            x: The numbers.
        """
        return core.cast(x, self.compute_dtype)


class TFDConcat(DataLayer):
    """Concatenation of encoded features.

    Args:
        axis: The axis along which they are joined.

    Example:
        >>> from keras_fn.layers.preprocessing.feature import TFDConcat
        >>> convert_to_numpy(TFDConcat(axis=-1)([np.ones((1, 2)), np.zeros((1, 1))])).tolist()
        [[1.0, 1.0, 0.0]]
    """

    def __init__(self, axis: int, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Sequence[Tensor]) -> Tensor:
        """Returns the tensors as one.

        Args:
            xs: The tensors.
        """
        return concatenate(xs, axis=self.axis)


def make_one_hot_encoder(name: str, layer: Layer, output: KerasTensor) -> CategoryEncoding:
    """Returns the layer that encodes the integers of a preprocessing layer as vectors.

    Args:
        name: The name of the feature, for errors.
        layer: The preprocessing layer.
        output: Its symbolic output.

    Raises:
        SpecError: The output is not of integers, or how many there are is not known.
    """
    source = f"FeatureSpace, feature {name!r} with output_mode='one_hot'"
    if not is_int_dtype(output.dtype):
        raise SpecError(
            source,
            expected="a preprocessor that returns integers",
            received=f"{type(layer).__name__}, which returns {output.dtype}",
            fix="set output_mode='float'",
        )
    for cls, count in _COUNTS.items():
        if isinstance(layer, cls) and (size := count(layer)):
            return CategoryEncoding(num_tokens=size, output_mode="multi_hot")
    raise SpecError(
        source,
        expected="a preprocessor with a known number of categories: a lookup, Discretization, "
        "Hashing or HashedCrossing",
        received=type(layer).__name__,
        fix="set output_mode='int', and encode its output with a layer of yours",
    )


def encode_array(encoder: CategoryEncoding, ids: np.ndarray) -> np.ndarray:
    """Returns what a layer of `make_one_hot_encoder` returns for an array, computed in NumPy.

    Args:
        encoder: The layer.
        ids: The integers, of shape `(..., n)`.
    """
    batch = HostBatch(None, ids.shape)
    return cast(
        np.ndarray,
        encode_on_host(
            ids.ravel(), batch, encoder.output_mode, encoder.num_tokens, encoder.compute_dtype
        ),
    )


def _count_bins(layer: Any) -> int:
    edges = layer.bin_boundaries
    return layer.num_bins if edges is None else len(edges) + 1


_COUNTS: dict[type, Any] = {
    IndexLookup: lambda layer: layer._depth,
    Discretization: _count_bins,
    HashedCrossing: lambda layer: layer.num_bins,
    Hashing: lambda layer: layer.num_bins,
}  # the number of categories of a layer that returns integers

register("feature", MODULE, [Feature, Cross])
register("layer", MODULE, [TFDConcat, TFDIdentity])
