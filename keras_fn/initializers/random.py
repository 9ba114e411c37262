"""Random initializers, drawn by NumPy on the host."""

import math
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.argument_forms import AXES, NUMBER, TEXT, check_arguments
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import DTypeError, SpecError
from keras_fn.initializers.initializer import (
    IndependentValues,
    NumpyInitializer,
    check_rank,
    product,
)
from keras_fn.random.philox import Key, draw_normal, draw_truncated_normal, draw_uniform
from keras_fn.random.seed_generator import SeedGenerator, initial_key
from keras_fn.types import SeedLike

# Standard deviation of a standard normal that is cut off at -2 and 2.
_TRUNCATED_DEVIATION = 0.8796256610342398

Axes = tuple[int, ...] | list[int] | int | None


class RandomInitializer(NumpyInitializer):
    """Base class of the random initializers.

    Args:
        seed: An integer for the same values at each call. A `keras.random.SeedGenerator` for new
            values at each call, in a sequence that its seed determines. None for a sequence that
            `keras.utils.set_random_seed` determines.

    Raises:
        TypeError: `seed` is of another type.
    """

    def __init__(self, seed: SeedLike = None):
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if not isinstance(seed, (int, np.integer, SeedGenerator, type(None))):
            raise DTypeError(
                type(self).__name__,
                expected="seed to be an integer, a keras.random.SeedGenerator or None",
                received=f"seed={seed!r}",
                fix="pass an integer",
            )
        self.seed = seed

    def new_key(self) -> Key:
        """Returns the key of the next draw."""
        return initial_key(self.seed)

    def _key(self, key: Key | None) -> Key:
        return self.new_key() if key is None else key

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {"seed": serialize_keras_object(self.seed)}


_FORMS = {
    "mode": TEXT,
    "distribution": TEXT,
    "input_axes": AXES,
    "output_axes": AXES,
    "scale": NUMBER,
}


def _check_numbers(initializer: object, **arguments: object) -> None:
    forms = dict.fromkeys(arguments, NUMBER)
    check_arguments(type(initializer).__name__, forms, arguments)


class RandomNormal(RandomInitializer, IndependentValues):
    """Random normal initializer: values from a normal distribution.

    Args:
        mean: The mean of the values.
        stddev: The standard deviation of the values.
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.

    Example:
        >>> keras.initializers.RandomNormal(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: SeedLike = None):
        super().__init__(seed)
        _check_numbers(self, mean=mean, stddev=stddev)
        self.mean, self.stddev = mean, stddev

    def _values(
        self,
        shape: tuple[int, ...],
        dtype: str,
        key: Key | None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        return draw_normal(self._key(key), shape, dtype, self.mean, self.stddev, start, stop)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Truncated normal initializer: normal values within two standard deviations of the mean.

    Args:
        mean: The mean of the values.
        stddev: The standard deviation of the distribution before it is truncated.
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.

    Example:
        >>> keras.initializers.TruncatedNormal(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    def _values(
        self,
        shape: tuple[int, ...],
        dtype: str,
        key: Key | None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        return draw_truncated_normal(
            self._key(key), shape, dtype, self.mean, self.stddev, start, stop
        )


class RandomUniform(RandomInitializer, IndependentValues):
    """Random uniform initializer: values from the uniform distribution over [minval, maxval).

    Args:
        minval: The lower bound, inclusive.
        maxval: The upper bound, exclusive.
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.

    Example:
        >>> keras.initializers.RandomUniform(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: SeedLike = None):
        super().__init__(seed)
        _check_numbers(self, minval=minval, maxval=maxval)
        self.minval, self.maxval = minval, maxval

    def _narrow(self, values: np.ndarray, dtype: str) -> np.ndarray:
        """Converts the values; also those of half precision are below the upper bound."""
        values = super()._narrow(values, dtype)
        if values.dtype.itemsize < 4 and dtypes.is_float(values.dtype.name):
            np.clip(values, *dtypes.range_of(self.minval, self.maxval, values.dtype.name), values)
        return values

    def _values(
        self,
        shape: tuple[int, ...],
        dtype: str,
        key: Key | None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        return draw_uniform(self._key(key), shape, dtype, self.minval, self.maxval, start, stop)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer, IndependentValues):
    """Variance scaling initializer: random values of variance `scale / n`.

    Here `n` is the fan-in (the number of inputs of a unit), the fan-out (the number of outputs), or
    their mean.

    Args:
        scale: A positive factor of the variance.
        mode: `n`: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> x = keras.initializers.VarianceScaling(2.0, seed=1).draw((1000, 100))
        >>> print((x.var() * 1000).round(1))
        2.0

    References:
        He et al., "Delving Deep into Rectifiers", 2015.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: SeedLike = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ):
        super().__init__(seed)
        if (type(mode), type(distribution), type(scale)) != (str, str, float) or (
            input_axes is not None or output_axes is not None
        ):
            self._check_types(mode, distribution, input_axes, output_axes, scale)
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if scale <= 0:
            raise _argument_error("scale", scale, "a positive number")
        if mode not in _MODES:
            raise _argument_error("mode", mode, f"one of {', '.join(_MODES)}")
        if distribution not in _DISTRIBUTIONS:
            raise _argument_error(
                "distribution", distribution, f"one of {', '.join(_DISTRIBUTIONS)}"
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def _check_types(self, *values: object) -> None:
        check_arguments(type(self).__name__, _FORMS, dict(zip(_FORMS, values, strict=True)))

    def _values(
        self,
        shape: tuple[int, ...],
        dtype: str,
        key: Key | None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        count = _MODES[self.mode](*compute_fans(shape, self.input_axes, self.output_axes))
        deviation = math.sqrt(self.scale / max(1.0, count))
        key = self._key(key)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * deviation
            return draw_uniform(key, shape, dtype, -limit, limit, start, stop)
        if self.distribution == "untruncated_normal":
            return draw_normal(key, shape, dtype, 0.0, deviation, start, stop)
        deviation /= _TRUNCATED_DEVIATION
        return draw_truncated_normal(key, shape, dtype, 0.0, deviation, start, stop)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


_MODES = {
    "fan_in": lambda inputs, outputs: inputs,
    "fan_out": lambda inputs, outputs: outputs,
    "fan_avg": lambda inputs, outputs: (inputs + outputs) / 2.0,
}
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def _argument_error(argument: str, value: Any, expected: str) -> SpecError:
    return SpecError(
        "VarianceScaling",
        expected=f"{argument} to be {expected}",
        received=f"{argument}={value!r}",
        fix="use a valid value",
    )


class _FixedVarianceScaling(VarianceScaling):
    """Variance scaling whose scale, mode and distribution the class determines."""

    _parameters: tuple[float, str, str]

    def __init__(self, seed: SeedLike = None, input_axes: Axes = None, output_axes: Axes = None):
        super().__init__(*self._parameters, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_FixedVarianceScaling):
    """Glorot (Xavier) uniform initializer: variance 2 / (fan-in + fan-out).

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.GlorotUniform(seed=1)((2, 3)).shape == (2, 3)
        True

    References:
        Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
        Networks", 2010.
    """

    _parameters = (1.0, "fan_avg", "uniform")


class GlorotNormal(_FixedVarianceScaling):
    """Glorot (Xavier) normal initializer: truncated normal, variance 2 / (fan-in + fan-out).

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.GlorotNormal(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    _parameters = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_FixedVarianceScaling):
    """LeCun normal initializer: truncated normal values of variance 1 / fan-in.

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.LecunNormal(seed=1)((2, 3)).shape == (2, 3)
        True

    References:
        LeCun et al., "Efficient BackProp", 1998.
    """

    _parameters = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_FixedVarianceScaling):
    """LeCun uniform initializer: uniform values of variance 1 / fan-in.

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.LecunUniform(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    _parameters = (1.0, "fan_in", "uniform")


class HeNormal(_FixedVarianceScaling):
    """He (Kaiming) normal initializer: truncated normal values of variance 2 / fan-in.

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.HeNormal(seed=1)((2, 3)).shape == (2, 3)
        True

    References:
        He et al., "Delving Deep into Rectifiers", 2015.
    """

    _parameters = (2.0, "fan_in", "truncated_normal")


class HeUniform(_FixedVarianceScaling):
    """He (Kaiming) uniform initializer: uniform values of variance 2 / fan-in.

    Args:
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.
        input_axes: Axes of the weight whose sizes multiply to the fan-in. By default the weight
            is a kernel of shape `(*window, inputs, outputs)`.
        output_axes: Axes of the weight whose sizes multiply to the fan-out, together with
            `input_axes`.

    Example:
        >>> keras.initializers.HeUniform(seed=1)((2, 3)).shape == (2, 3)
        True
    """

    _parameters = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """Orthogonal initializer: a random matrix with orthonormal rows or columns, times `gain`.

    The rows or the columns are orthonormal, whichever are fewer. All but the last axis are rows.
    It is the Q of the QR decomposition of a normal matrix, by LAPACK in float64, whose last bits
    may differ between machines.

    Args:
        gain: Factor of the matrix.
        seed: An integer for the same values at each call, a `keras.random.SeedGenerator` or None
            for new values at each call.

    Raises:
        ValueError: On a call with a shape of rank less than 2.

    Example:
        >>> q = keras.initializers.Orthogonal(seed=1).draw((3, 3))
        >>> (q @ q.T).round(3).tolist() == np.eye(3).tolist()
        True

    References:
        Saxe et al., "Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
        Neural Networks", 2013.
    """

    can_defer = False

    def __init__(self, gain: float = 1.0, seed: SeedLike = None):
        super().__init__(seed)
        _check_numbers(self, gain=gain)
        self.gain = gain

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        check_rank(shape, len(shape) >= 2, "Orthogonal", "rank 2 or more")
        rows, columns = product(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(draw_normal(self._key(key), tall, "float64"))
        q *= np.where(
            np.diagonal(r) < 0, -self.gain, self.gain
        )  # so that Q is uniformly distributed
        q = q.T if rows < columns else q
        return q.reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "gain": self.gain}


def compute_fans(
    shape: tuple[int, ...], input_axes: Axes = None, output_axes: Axes = None
) -> tuple[int, int]:
    """Returns the fan-in and the fan-out of a weight of that shape."""
    if input_axes is not None and output_axes is not None:
        return tuple(  # pyright: ignore[reportReturnType]
            product(shape[a] for a in ((axes,) if isinstance(axes, int) else axes))
            for axes in (input_axes, output_axes)
        )
    if len(shape) < 2:
        size = product(shape)
        return size, size
    window = product(shape[:-2])
    return shape[-2] * window, shape[-1] * window
