"""The hashing of combinations of categories."""

from functools import reduce
from typing import Any, Unpack

import numpy as np

from keras_fn.core.farmhash import concat_fingerprints, fingerprint64
from keras_fn.core.host_text import list_to_array
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._arguments import check_flag, positive_int
from keras_fn.layers._options import InputShapeOptions
from keras_fn.layers.preprocessing._encoding import encode_categorical, encoded_shape
from keras_fn.layers.preprocessing._host_batch import HostBatch, encode_on_host
from keras_fn.layers.preprocessing._integer_hashing import to_words
from keras_fn.layers.preprocessing._string_layer import HashLayer, check_output_mode
from keras_fn.layers.preprocessing.hashing import check_int_dtype, pack_values, vector_dtype
from keras_fn.ops.core import cast
from keras_fn.types import DTypeLike, Nested, RegularizerLike, Shape, Tensor

_SEED = 0xDECAFCAFFE  # the key with which TensorFlow begins, so that bins are Keras's
_OUTPUT_MODES = ("int", "one_hot")


class CrossingOptions(InputShapeOptions, total=False):
    """Keyword arguments of `HashedCrossing` that it does not list."""

    trainable: bool
    autocast: bool
    activity_regularizer: RegularizerLike | None


class HashedCrossing(HashLayer):
    """Feature cross by hashing: maps combinations of categories to one of `num_bins` bins.

    The bin of a combination is the hash of its values. A model that is linear in the bins can tell
    combinations apart, which it cannot in the features. The bins are those of Keras, on every
    backend.

    Args:
        num_bins: Number of bins.
        output_mode: `"int"`: the bin of each combination. `"one_hot"`: a vector for each.
        sparse: Whether vectors are sparse tensors.
        name: The name of the layer.
        dtype: The dtype of the output. By default `"int64"` for `"int"`, else `floatx()`.

    Call arguments:
        inputs: A list or tuple of two or more features.

    Input shape:
        Strings or integers of one shape for all features: `(batch,)`, `(batch, 1)` or `()`.

    Output shape:
        The shape of each feature; for `"one_hot"` `(batch, num_bins)`, or `(num_bins,)`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> layer = keras.layers.HashedCrossing(num_bins=5)
        >>> bins = layer((["A", "B", "A"], [101, 101, 102]))
        >>> keras.ops.convert_to_numpy(bins).tolist()
        [1, 4, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **kwargs: Unpack[CrossingOptions],
    ):
        output_mode = check_output_mode(self, output_mode, _OUTPUT_MODES)
        super().__init__(name=name, dtype=vector_dtype(output_mode, dtype), **kwargs)
        self.num_bins = positive_int(self, "num_bins", num_bins)
        self.output_mode = output_mode
        self.sparse = check_flag(self, "sparse", sparse)
        if self.sparse and output_mode == "int":
            self.sparse = False  # as in Keras, which ignores it
        check_int_dtype(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], (list, tuple)):
            features = []
            for feature in args[0]:
                text = list_to_array(feature)
                features.append(feature if text is None else text)
            args = (features, *args[1:])
        return super().__call__(*args, **kwargs)

    def _to_host(self, inputs: Any) -> Any:
        if isinstance(inputs, (list, tuple)):
            return [super(HashedCrossing, self)._to_host(feature) for feature in inputs]
        return super()._to_host(inputs)

    def _call_on_host(self, inputs: Any) -> Any:
        features = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        shapes = [np.shape(feature) for feature in features]
        self._check_shapes(shapes)
        seed = np.array(_SEED, np.uint64)
        hashes = reduce(concat_fingerprints, map(self._fingerprints, features), seed)
        bins = (hashes % np.uint64(self.num_bins)).astype(np.int64)
        batch = HostBatch(bins, shapes[0])
        return encode_on_host(bins, batch, self.output_mode, self.num_bins, self.dtype, self.sparse)

    def _call_on_tensor(self, inputs: Any) -> Tensor:
        self._check_shapes([feature.shape for feature in inputs])
        hashes = reduce(
            concat_fingerprints, map(to_words, inputs), to_words(inputs[0], start=_SEED)
        )
        bins = cast(hashes % self.num_bins, "int64")
        return encode_categorical(bins, self.output_mode, self.num_bins, self.dtype, self.sparse)

    def _fingerprints(self, feature: Any) -> np.ndarray:
        """Returns the fingerprints of strings; integers are their own."""
        values = np.ravel(feature)
        if values.dtype.kind in "biu":
            return values.astype(np.int64).view(np.uint64)
        if values.dtype.kind in "fc":
            raise self._not_categories(f"an array of dtype {values.dtype}")
        return fingerprint64(pack_values(values, self._label))

    def _not_categories(self, received: str) -> DTypeError:
        return DTypeError(
            self._label,
            expected="features of strings or integers",
            received=received,
            fix="make categories of numbers, for example with Discretization",
        )

    def _check_shapes(self, shapes: list[Any]) -> None:
        shape = tuple(shapes[0])
        is_valid = len(shape) < 2 or (len(shape) == 2 and shape[1] == 1)
        if len(shapes) < 2 or not is_valid or any(not _fits(shape, other) for other in shapes[1:]):
            raise SpecError(
                self._label,
                expected="a list of two or more features of one shape: (batch,), (batch, 1) or ()",
                received=f"shapes {', '.join(str(tuple(s)) for s in shapes)}"[:200],
                fix="pass a list of features, layer([a, b]); cross columns one by one",
            )

    def compute_output_shape(self, input_shape: Nested) -> Shape:
        """Returns the shape of the output.

        Args:
            input_shape: The shapes of the features.
        """
        shapes = list(input_shape)
        self._check_shapes(shapes if shapes and not _is_shape(shapes) else [shapes])
        return encoded_shape(tuple(shapes[0]), self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Nested) -> KerasTensor:
        """Returns the shape and the dtype of the output.

        Args:
            inputs: Symbolic tensors.
        """
        features = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        for feature in features:
            if feature.dtype.startswith(("float", "bfloat", "complex")):
                raise self._not_categories(f"dtype {feature.dtype}")
        shape = self.compute_output_shape([feature.shape for feature in features])
        return KerasTensor(shape, self.dtype, sparse=self.sparse, record_history=False)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as Keras writes them."""
        config = {**super().get_config(), "dtype": self.dtype}
        del config["trainable"]  # there are no weights
        return config


def _is_shape(shape: list[Any]) -> bool:
    return all(size is None or isinstance(size, int) for size in shape)


def _fits(shape: tuple[Any, ...], other: Any) -> bool:
    """Returns whether two shapes may be the same, where sizes are known."""
    return len(shape) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(shape, other, strict=True)
    )
