"""Normalization of features by the mean and variance of a data set."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import result_type
from keras_fn.core.input_spec import InputSpec
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.preprocessing._adapt import iterate_batches, to_numbers
from keras_fn.layers.preprocessing._moments import StreamingMoments
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops.arithmetic import add, divide, maximum, multiply, subtract
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.creation import full
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import sqrt
from keras_fn.settings import epsilon
from keras_fn.types import DataLike, Shape, Tensor, TensorLike


class Normalization(DataLayer):
    """Feature-wise standardization: `(inputs - mean) / sqrt(variance)`.

    The mean and the variance are given, or computed from data by `adapt`. Until then they are 0
    and 1.

    Args:
        axis: The axis, or axes, whose indices have a mean and a variance each: the features. None
            for one mean and one variance of all elements.
        mean: The mean: a number, or an array that broadcasts to the sizes of `axis`.
        variance: The variance, of the shape of `mean`; both are given, or neither.
        invert: Whether to compute the inverse, `inputs * sqrt(variance) + mean`.

    Input shape:
        A tensor of numbers of any shape; the sizes of `axis` are known.

    Output shape:
        A tensor of floats of the same shape.

    Raises:
        ValueError: `mean` or `variance` is missing, or their shapes do not fit.

    Example:
        >>> layer = keras.layers.Normalization()
        >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0]]))
        >>> convert_to_numpy(layer(np.array([[0.0, 10.0]]))).tolist()
        [[-1.0, 2.0]]
    """

    _not_in_config = frozenset({"axis", "mean", "variance"})  # see `get_config`

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: TensorLike | None = None,
        variance: TensorLike | None = None,
        invert: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        axes = () if axis is None else axis
        self.axis = (axes,) if isinstance(axes, int) else tuple(axes)
        self.input_mean, self.input_variance = mean, variance
        self.invert = invert
        self.supports_masking = True
        self.autocast = False  # half precision would round inputs that are far from 0
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self._given: tuple[Any, Any] | None = None
        self._moments: StreamingMoments | None = None  # of the data of `update_state`
        self._check_given()

    def _check_given(self) -> None:
        mean, variance = self.input_mean, self.input_variance
        if mean is None and variance is None:
            return
        if mean is None or variance is None:
            raise SpecError(
                type(self).__name__,
                expected="mean and variance, or neither",
                received=f"mean={mean!r}, variance={variance!r}",
                fix="pass both, or compute both with adapt(data)",
            )
        shapes = np.shape(_to_numpy(mean)), np.shape(_to_numpy(variance))
        if shapes[0] != shapes[1] or len(shapes[0]) > len(self.axis):
            raise argument_error(
                self,
                "mean",
                f"a mean and a variance of one shape, of at most {len(self.axis)} axes, as axis "
                f"{self.axis} has",
                f"shape {shapes[0]}, variance of shape {shapes[1]}",
                "pass a number for each feature, and the axis of the features",
            )
        if np.any(_to_numpy(variance) < 0):
            raise argument_error(
                self, "variance", "numbers of 0 or more", variance, "pass the mean square deviation"
            )

    def build(self, input_shape: Shape) -> None:
        """Creates the mean and the variance."""
        rank = len(input_shape)
        self._kept = tuple(sorted(normalize_axes(self.axis, rank, self._label)))
        sizes = tuple(static_dim(input_shape, axis, self) for axis in self._kept)
        self._broadcast_shape: Any = tuple(
            input_shape[axis] if axis in self._kept else 1 for axis in range(rank)
        )
        # Sizes that line up from the right broadcast as they are.
        self._is_aligned = self._kept == tuple(range(rank - len(sizes), rank))
        self.input_spec = InputSpec(
            ndim=None if self._is_aligned else rank,
            min_ndim=len(sizes),
            axes={a - rank: n for a, n in zip(self._kept, sizes, strict=True)},
        )
        if self.input_mean is not None:
            self._given = self._spread(self.input_mean), self._spread(self.input_variance)
            return

        def statistic(name: str, initializer: str) -> Any:
            return self.add_weight(sizes, initializer, trainable=False, autocast=False, name=name)

        self.adapt_mean = statistic("mean", "zeros")
        self.adapt_variance = statistic("variance", "ones")
        # Keras's files have it, from versions that continued earlier calls of `adapt`.
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def _spread(self, values: Any) -> Any:
        """Returns given numbers for each index of the kept axes, or one number for all."""
        array = np.asarray(_to_numpy(values), np.float64)
        if not array.ndim:
            return float(array)
        shape = [1] * len(self._broadcast_shape)
        for axis, size in zip(self._kept[::-1], array.shape[::-1], strict=False):
            shape[axis] = size
        try:
            return np.broadcast_to(array.reshape(shape), self._broadcast_shape)
        except ValueError:
            raise SpecError(
                self._label,
                expected=f"a mean and a variance that broadcast to {self._broadcast_shape}: the "
                f"sizes of axis {self.axis} of the inputs",
                received=f"shape {array.shape}",
                fix="pass a number for each feature, and the axis of the features",
            ) from None

    def adapt(self, data: DataLike) -> None:
        """Computes the mean and the variance of a data set, in place of earlier ones.

        Args:
            data: An array or a tensor: the whole data set. Or what yields batches: a tf.data
                dataset, a torch DataLoader, a Grain data set, a `PyDataset`, a generator, or a
                list of arrays. Of batches `(x, y)`, only `x` counts.

        Raises:
            ValueError: The mean and the variance were given to the constructor, there is no data,
                or its features differ from those of the inputs.
        """
        self._check_adaptable()
        self.reset_state()
        is_sample = _yields_samples(data)
        for batch in iterate_batches(data, self._label):
            array = to_numbers(batch, self._label)
            self.update_state(array[np.newaxis] if is_sample else array)
        self.finalize_state()

    def _check_adaptable(self) -> None:
        if self.input_mean is not None:
            raise SpecError(
                f"{self._label}, adapt",
                expected="a layer without mean= and variance=",
                received="data in addition to them",
                fix="leave them out of the constructor",
            )

    def reset_state(self) -> None:
        """Forgets the data that `update_state` was given. The mean and the variance stay."""
        self._moments = None

    def update_state(self, data: DataLike) -> None:
        """Takes a batch into account, for the next `finalize_state`.

        Args:
            data: The batch.
        """
        self._check_adaptable()
        array = to_numbers(data, self._label)
        if self._moments is None:
            self._moments = self._start_adapt(array.shape)
        self._check_features(array.shape)
        self._moments.update(array)

    def _start_adapt(self, shape: tuple[int, ...]) -> StreamingMoments:
        if not self.built:
            rank = len(shape)
            kept = normalize_axes(self.axis, rank, self._label)
            self.build(tuple(n if i or 0 in kept else None for i, n in enumerate(shape)))
        rank = len(self._broadcast_shape)
        return StreamingMoments(tuple(i for i in range(rank) if i not in self._kept))

    def _check_features(self, shape: tuple[int, ...]) -> None:
        expected = self._broadcast_shape
        if len(shape) != len(expected) or any(shape[i] != expected[i] for i in self._kept):
            sizes = tuple(n if i in self._kept else None for i, n in enumerate(expected))
            raise SpecError(
                f"{self._label}, adapt",
                expected=f"data of shape {sizes}, for which the layer was built",
                received=f"shape {shape}",
                fix="pass batches of the inputs that the layer is called on",
            )

    def finalize_state(self) -> None:
        """Computes the mean and the variance of the data of all `update_state`, if there was any.

        Raises:
            ValueError: The batches were empty.
        """
        moments = self._moments
        if moments is None:
            return
        if not moments.count:
            raise SpecError(
                f"{self._label}, adapt",
                expected="at least one sample",
                received="none",
                fix="pass data that is not empty",
            )
        for variable, value in (
            (self.adapt_mean, moments.mean),
            (self.adapt_variance, moments.variance),
        ):
            variable.assign(value.astype(np.float32 if self.dtype != "float64" else np.float64))
        self.reset_state()

    @property
    def mean(self) -> Tensor | None:
        """The mean, in a shape that broadcasts with the inputs; None before the layer is built."""
        return self._statistic(0)

    @property
    def variance(self) -> Tensor | None:
        """The variance, in the shape of the mean; None before the layer is built."""
        return self._statistic(1)

    def _statistic(self, index: int) -> Any:
        if not self.built:
            return None
        value = self._statistics(self.compute_dtype)[index]
        if isinstance(value, float):
            return full(self._broadcast_shape, value, self.compute_dtype)
        return reshape(value, self._broadcast_shape)

    def _statistics(self, dtype: str) -> tuple[Any, Any]:
        """Returns the mean and the variance in a dtype, in shapes that broadcast."""
        if self._given is not None:
            mean, variance = self._given
            if isinstance(mean, float):
                return mean, variance
            return cast(mean, dtype), cast(variance, dtype)
        mean, variance = cast(self.adapt_mean, dtype), cast(self.adapt_variance, dtype)
        if self._is_aligned:
            return mean, variance
        return reshape(mean, self._broadcast_shape), reshape(variance, self._broadcast_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the standardized inputs, or with `invert` the inputs of standardized ones."""
        dtype = result_type(dtype_of(inputs), self.compute_dtype, "float32")
        x = cast(inputs, dtype)
        mean, variance = self._statistics(dtype)
        is_number = isinstance(variance, float)
        stddev = max(variance**0.5, epsilon()) if is_number else maximum(sqrt(variance), epsilon())
        y = add(multiply(x, stddev), mean) if self.invert else divide(subtract(x, mean), stddev)
        return cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        numbers = {k: None if v is None else _to_numpy(v).tolist() for k, v in given.items()}
        return {**super().get_config(), "axis": self.axis, **numbers}


def _to_numpy(x: Any) -> np.ndarray:
    return current().convert_to_numpy(x) if current().is_tensor(x) else np.asarray(x)


def _yields_samples(data: Any) -> bool:
    """Returns whether a tf.data dataset yields vectors of a known size: samples, not batches."""
    spec = getattr(data, "element_spec", None)
    shape = getattr(spec[0] if isinstance(spec, tuple) else spec, "shape", None)
    sizes = list(shape) if shape is not None and getattr(shape, "rank", None) is not None else []
    return len(sizes) == 1 and sizes[0] is not None
