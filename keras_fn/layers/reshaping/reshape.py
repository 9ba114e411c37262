"""Layers that give the elements of each sample another order or shape."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import count, is_count, misfit
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import product
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.shapes import expand_dims, repeat, reshape, transpose
from keras_fn.settings import standardize_data_format


class Reshape(Layer):
    """Gives each sample another shape; the elements keep their order.

    Args:
        target_shape: The shape of a sample, without the batch axis; one size may be -1, to be
            worked out.

    Input: a tensor of any shape. Output: a tensor of shape `(batch, *target_shape)`.

    Raises:
        ValueError: No shape, or one that the elements of a sample do not fill.

    Example:
        >>> keras.layers.Reshape((4, -1))(keras.Input((8, 3))).shape
        (None, 4, 6)
    """

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(target_shape, (list, tuple)) or not all(
            is_count(size, 0) or size == -1 for size in target_shape
        ):
            raise misfit(
                self, "target_shape", "a tuple of integers of 0 or more, or -1", target_shape,
                "for example target_shape=(28, 28, 1)",
            )  # fmt: skip
        if list(target_shape).count(-1) > 1:
            raise misfit(
                self, "target_shape", "one size of -1 at most", target_shape, "name the others"
            )
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs, reshaped."""
        return reshape(inputs, (shape_of(inputs)[0], *self._sizes(tuple(inputs.shape)[1:])))

    def _sizes(self, given: Any) -> tuple[int, ...]:
        """Returns the target with -1 worked out, where all sizes are known."""
        target, total = self.target_shape, product(given)
        if total is None:
            return target
        known = product([size for size in target if size != -1]) or 0
        fits = known and total % known == 0 if -1 in target else total == known
        if not fits:
            raise SpecError(
                self._place,
                expected=f"samples whose elements fill target_shape={target}",
                given=f"samples of shape {given}, {total} elements",
                fix="count the elements, or let one size be -1",
            )
        return tuple(total // known if size == -1 else size for size in target)


class Flatten(Layer):
    """Makes one vector of each sample.

    Args:
        data_format: `"channels_last"` or `"channels_first"`, where the channels are moved to the
            end beforehand; the configured one by default.

    Input: a tensor of shape `(batch, ...)`. Output: a tensor of shape `(batch, elements)`.

    Example:
        >>> keras.layers.Flatten()(keras.Input((28, 28, 2))).shape
        (None, 1568)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Returns a vector for each sample."""
        batch, *sizes = shape_of(inputs)
        if self.data_format == "channels_first" and len(sizes) > 1:
            inputs = transpose(inputs, (0, *range(2, len(sizes) + 1), 1))
        elements = product([size if isinstance(size, int) else None for size in sizes])
        return reshape(inputs, (batch, -1 if elements is None else elements))


class Permute(Layer):
    """Puts the axes of each sample into another order.

    Args:
        dims: The axes of the input in their new order, counted from 1: the batch axis stays.

    Input: a tensor of `len(dims)` axes and the batch axis. Output: likewise, in the new order.

    Raises:
        ValueError: `dims` is no order of 1, 2, and so on.

    Example:
        >>> keras.layers.Permute((2, 1))(keras.Input((10, 64))).shape
        (None, 64, 10)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(dims, (list, tuple)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise misfit(
                self, "dims", "each axis once, counted from 1 (the batch axis stays)", dims,
                "for example dims=(2, 1)",
            )  # fmt: skip
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs with their axes in the new order."""
        return transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Repeats each vector: a sequence of `n` equal steps.

    Args:
        n: How often.

    Input: a tensor of shape `(batch, features)`. Output: `(batch, n, features)`.

    Raises:
        ValueError: `n` is no positive integer.

    Example:
        >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
        (None, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = count(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Returns the sequences."""
        return repeat(expand_dims(inputs, 1), self.n, axis=1)
