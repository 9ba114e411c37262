"""The types of features that a `FeatureSpace` offers, as its class methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from keras_fn.core.naming import auto_name
from keras_fn.layers.layer import Layer
from keras_fn.layers.preprocessing.discretization import Discretization
from keras_fn.layers.preprocessing.feature import Cross, Feature, TFDIdentity
from keras_fn.layers.preprocessing.hashing import Hashing
from keras_fn.layers.preprocessing.integer_lookup import IntegerLookup
from keras_fn.layers.preprocessing.normalization import Normalization
from keras_fn.layers.preprocessing.rescaling import Rescaling
from keras_fn.layers.preprocessing.string_lookup import StringLookup
from keras_fn.types import DTypeLike

_Float: TypeAlias = float  # the class has a method of that name

FEATURE_TYPES = {
    "float": None,
    "float_normalized": None,
    "float_rescaled": None,
    "float_discretized": "num_discretization_bins",
    "integer_categorical": None,
    "string_categorical": None,
    "integer_hashed": "hashing_dim",
    "string_hashed": "hashing_dim",
}
"""For each word for a type of feature, the argument of `FeatureSpace` that is its `num_bins`."""


class FeatureTypesMixin:
    """The class methods of a feature space that return features and feature crosses."""

    @classmethod
    def cross(
        cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> Cross:
        """Returns a feature cross: combinations of values, hashed to bins.

        Args:
            feature_names: The names of two or more features.
            crossing_dim: Number of bins.
            output_mode: `"int"`: the bin. `"one_hot"`: a vector for it.
        """
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: DTypeLike, preprocessor: Layer, output_mode: str) -> Feature:
        """Returns a feature with a preprocessing layer of the caller.

        Args:
            dtype: The dtype of the raw values: `"string"`, or one of numbers.
            preprocessor: The layer, from raw values of shape `(batch, 1)` on. If it has a method
                `adapt`, the feature space calls it.
            output_mode: `"float"` or `"int"`: the output of the layer stays. `"one_hot"`: its
                integers are encoded as vectors.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Returns a feature of numbers that stay as they are.

        Args:
            name: The prefix of the name of its layer.
        """
        layer = TFDIdentity(dtype="float32", name=_layer_name("float", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_rescaled(
        cls, scale: _Float = 1.0, offset: _Float = 0.0, name: str | None = None
    ) -> Feature:
        """Returns a feature of numbers that are rescaled: `x * scale + offset`.

        Args:
            scale: The factor.
            offset: What is added.
            name: The prefix of the name of its layer.
        """
        layer = Rescaling(scale, offset, name=_layer_name("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Returns a feature of numbers that are standardized, to mean 0 and variance 1.

        Args:
            name: The prefix of the name of its layer.
        """
        layer = Normalization(axis=-1, name=_layer_name("float_normalized", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Sequence[_Float] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Returns a feature of numbers in bins.

        Args:
            num_bins: The number of bins; None if their edges are given.
            bin_boundaries: The edges between the bins, in place of quantiles of the data.
            output_mode: `"int"`: the index of the bin. `"one_hot"`: a vector for it.
            name: The prefix of the name of its layer.
        """
        if bin_boundaries is not None and num_bins == len(bin_boundaries) + 1:
            num_bins = None  # the edges say it, too
        layer = Discretization(
            bin_boundaries, num_bins, name=_layer_name("float_discretized", name)
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Returns a feature of integers that are categories: indices of a vocabulary.

        Args:
            max_tokens: Maximum size of the vocabulary; None for no limit.
            num_oov_indices: Number of indices for integers that are not in it.
            output_mode: `"int"`: the index. `"one_hot"`: a vector for it.
            name: The prefix of the name of its layer.
        """
        layer = IntegerLookup(
            max_tokens, num_oov_indices, name=_layer_name("integer_categorical", name)
        )
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Returns a feature of strings that are categories: indices of a vocabulary.

        Args:
            max_tokens: Maximum size of the vocabulary; None for no limit.
            num_oov_indices: Number of indices for strings that are not in it.
            output_mode: `"int"`: the index. `"one_hot"`: a vector for it.
            name: The prefix of the name of its layer.
        """
        layer = StringLookup(
            max_tokens, num_oov_indices, name=_layer_name("string_categorical", name)
        )
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Returns a feature of strings that are hashed to bins.

        Args:
            num_bins: Number of bins.
            output_mode: `"int"`: the bin. `"one_hot"`: a vector for it.
            name: The prefix of the name of its layer.
        """
        layer = Hashing(num_bins, name=_layer_name("string_hashed", name))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Returns a feature of integers that are hashed to bins.

        Args:
            num_bins: Number of bins.
            output_mode: `"int"`: the bin. `"one_hot"`: a vector for it.
            name: The prefix of the name of its layer.
        """
        layer = Hashing(num_bins, name=_layer_name("integer_hashed", name))
        return Feature("int32", layer, output_mode)


def _layer_name(word: str, name: str | None) -> str:
    return f"{name or auto_name(word)}_preprocessor"
