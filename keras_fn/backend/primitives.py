"""What every backend computes: the primitive ops. All other ops are made of these.

A module satisfies it, with a function for each. The frontend has converted before it calls:
operands are tensors of the backend and come by position, options by name or by position. Operands
that are to meet in one dtype have it; beside a tensor there may stand a Python number.

Arguments that an op's rule refuses reach the backend all the same, to save the time: it fails, with
whatever error, and the rule then says why. A backend may have functions for other ops of
`keras_fn.ops`, too, under their names: they go before our compositions.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keras_fn.backend.function_transforms import Transformations

Tensor = Any
Axis = int | Sequence[int] | None
Sizes = int | Sequence[int]


class Makers(Protocol):
    """No ops themselves: what makes tensors of none, and loops. All arguments come by position."""

    def arange(self, start: Any, stop: Any, step: Any, dtype: str, /) -> Tensor:
        """Numbers at equal steps from `start` up to, without, `stop`."""

    def full(self, shape: Sequence[Any], value: Any, dtype: str, /) -> Tensor:
        """A constant: a number everywhere. Sizes may be scalar tensors in a trace."""

    def random_normal(self, shape: Sequence[Any], dtype: str, seed: Tensor, /) -> Tensor:
        """Standard normal floats, which depend on the seed alone: a tensor of two integers."""

    def random_randint(
        self, shape: Sequence[Any], minval: Any, maxval: Any, dtype: str, seed: Tensor, /
    ) -> Tensor:
        """Integers in [minval, maxval); the limits are numbers or scalar tensors."""

    def random_uniform(self, shape: Sequence[Any], dtype: str, seed: Tensor, /) -> Tensor:
        """Floats in [0, 1)."""

    def scan(
        self,
        f: Callable[[Any, Any], tuple[Any, Any]],
        init: Any,
        xs: Any,
        length: int | None,
        reverse: bool,
        unroll: int,
        /,
    ) -> tuple[Any, Any]:
        """As `keras_fn.ops.scan`; None among the carries, slices or outputs stays None."""
        ...


class Elementwise(Protocol):
    """Operands of one dtype, which the result has. Shapes broadcast.

    A Python number takes the dtype of the tensor beside it. Infinities and NaN come as in NumPy,
    without a warning.
    """

    def absolute(self, x: Tensor, /) -> Tensor:
        """Absolute value."""

    def add(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 + x2`."""

    def bitwise_and(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bits set in both."""

    def bitwise_left_shift(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bits of `x` moved up by `y` places; 0 if `y` is not less than their number."""

    def bitwise_not(self, x: Tensor, /) -> Tensor:
        """Bits turned over; logical not of booleans."""

    def bitwise_or(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bits set in one or both."""

    def bitwise_right_shift(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bits of `x` moved down by `y` places; the sign stays."""

    def bitwise_xor(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bits set in one only."""

    def floor_divide(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Quotient rounded towards minus infinity."""

    def gcd(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Greatest common divisor of the absolute values; that of 0 and 0 is 0."""

    def maximum(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """The larger of two elements; NaN if one is."""

    def minimum(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """The smaller of two elements; NaN if one is."""

    def mod(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Remainder with the sign of `x2`."""

    def multiply(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 * x2`."""

    def negative(self, x: Tensor, /) -> Tensor:
        """`-x`."""

    def power(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1` to the power of `x2`."""

    def round(self, x: Tensor, /, decimals: int = 0) -> Tensor:
        """Rounded to so many digits after the point; halves go to the even neighbour."""

    def sign(self, x: Tensor, /) -> Tensor:
        """-1, 0 or 1, as `x` is negative, zero or positive."""

    def stop_gradient(self, variable: Tensor, /) -> Tensor:
        """The tensor itself, through which no gradient flows."""

    def subtract(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 - x2`."""


class OfFloats(Protocol):
    """Elementwise, too: integers have become floats before they come here."""

    def arccos(self, x: Tensor, /) -> Tensor:
        """Inverse cosine, in radians."""

    def arccosh(self, x: Tensor, /) -> Tensor:
        """Inverse hyperbolic cosine."""

    def arcsin(self, x: Tensor, /) -> Tensor:
        """Inverse sine, in radians."""

    def arcsinh(self, x: Tensor, /) -> Tensor:
        """Inverse hyperbolic sine."""

    def arctan(self, x: Tensor, /) -> Tensor:
        """Inverse tangent, in radians."""

    def arctan2(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Angle in radians of the point `(x2, x1)`."""

    def arctanh(self, x: Tensor, /) -> Tensor:
        """Inverse hyperbolic tangent."""

    def ceil(self, x: Tensor, /) -> Tensor:
        """Smallest integer not below `x`, as a float."""

    def cos(self, x: Tensor, /) -> Tensor:
        """Cosine of angles in radians."""

    def cosh(self, x: Tensor, /) -> Tensor:
        """Hyperbolic cosine."""

    def erf(self, x: Tensor, /) -> Tensor:
        """Error function."""

    def erfc(self, x: Tensor, /) -> Tensor:
        """`1 - erf(x)`, exact for large `x`."""

    def erfinv(self, x: Tensor, /) -> Tensor:
        """Inverse error function."""

    def exp(self, x: Tensor, /) -> Tensor:
        """e to the power of `x`."""

    def exp2(self, x: Tensor, /) -> Tensor:
        """2 to the power of `x`."""

    def expm1(self, x: Tensor, /) -> Tensor:
        """`exp(x) - 1`, exact near 0."""

    def floor(self, x: Tensor, /) -> Tensor:
        """Largest integer not above `x`, as a float."""

    def i0(self, x: Tensor, /) -> Tensor:
        """Modified Bessel function of the first kind, of order 0."""

    def log(self, x: Tensor, /) -> Tensor:
        """Natural logarithm."""

    def log10(self, x: Tensor, /) -> Tensor:
        """Logarithm of base 10."""

    def log1p(self, x: Tensor, /) -> Tensor:
        """`log(1 + x)`, exact near 0."""

    def log2(self, x: Tensor, /) -> Tensor:
        """Logarithm of base 2."""

    def nextafter(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """The number next to `x1`, as its dtype has them, towards `x2`."""

    def rsqrt(self, x: Tensor, /) -> Tensor:
        """`1 / sqrt(x)`."""

    def sigmoid(self, x: Tensor, /) -> Tensor:
        """Logistic function, `1 / (1 + exp(-x))`."""

    def sin(self, x: Tensor, /) -> Tensor:
        """Sine of angles in radians."""

    def sinh(self, x: Tensor, /) -> Tensor:
        """Hyperbolic sine."""

    def sqrt(self, x: Tensor, /) -> Tensor:
        """Square root."""

    def tan(self, x: Tensor, /) -> Tensor:
        """Tangent of angles in radians."""

    def tanh(self, x: Tensor, /) -> Tensor:
        """Hyperbolic tangent."""

    def true_divide(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 / x2`; integers become floats."""


class Booleans(Protocol):
    """Elementwise with a boolean result. Those named `logical` get booleans."""

    def equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Whether elements are equal."""

    def greater(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 > x2`."""

    def greater_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 >= x2`."""

    def isfinite(self, x: Tensor, /) -> Tensor:
        """Whether each element is neither infinite nor NaN."""

    def isinf(self, x: Tensor, /) -> Tensor:
        """Whether each element is infinite."""

    def isnan(self, x: Tensor, /) -> Tensor:
        """Whether each element is NaN."""

    def less(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 < x2`."""

    def less_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 <= x2`."""

    def logical_and(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical and."""

    def logical_not(self, x: Tensor, /) -> Tensor:
        """Logical not."""

    def logical_or(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical or."""

    def logical_xor(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical exclusive or."""

    def not_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Whether elements differ."""


class Reductions(Protocol):
    """Over `axis`: one, a tuple or list of several, none (`()`) or all (None).

    The result has the dtype of the operand, which the op's rule has chosen: small integers come as
    int32 to be summed. Sums of 16-bit floats are computed in 32 bits.
    """

    def all(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether all elements hold."""

    def any(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether any element holds."""

    def argmax(self, x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Index (int32) of the first largest element; of the flattened tensor for None."""

    def argmin(self, x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Index (int32) of the first smallest element; of the flattened tensor for None."""

    def cumprod(self, x: Tensor, /, axis: int | None = None, dtype: str | None = None) -> Tensor:
        """Running product, likewise."""

    def cumsum(self, x: Tensor, /, axis: int | None = None, dtype: str | None = None) -> Tensor:
        """Running sum; of the flattened tensor for None; in `dtype`, else that of the operand."""

    def max(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> Tensor:
        """Largest element, or `initial`; NaN if there is one."""

    def mean(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Arithmetic mean."""

    def min(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> Tensor:
        """Smallest element, or `initial`; NaN if there is one."""

    def prod(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, dtype: Any = None
    ) -> Tensor:
        """Product, in `dtype` if there is one."""

    def softmax(self, x: Tensor, /, axis: Any = -1) -> Tensor:
        """`exp(x)` over its sum along `axis`, or several axes, without overflow."""

    def sum(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum."""


class Shapes(Protocol):
    """The same elements, or copies of them, in another order or shape. The dtype stays."""

    def broadcast_to(self, x: Tensor, /, shape: Any) -> Tensor:
        """Axes of size 1 repeated, and axes added in front, up to that shape."""

    def cast(self, x: Tensor, /, dtype: Any) -> Tensor:
        """The tensor in another dtype, a name or anything that `standardize_dtype` takes."""

    def concatenate(self, xs: Sequence[Tensor], /, axis: int | None = 0) -> Tensor:
        """Joined along an axis; flattened first for None."""

    def expand_dims(self, x: Tensor, /, axis: Any) -> Tensor:
        """With axes of size 1 at the positions `axis` of the result: one or several."""

    def flip(self, x: Tensor, /, axis: Axis = None) -> Tensor:
        """In reversed order along `axis`: one, several, or all for None."""

    def pad_by(
        self, x: Tensor, /, widths: list[tuple[int, int]], mode: str, value: float
    ) -> Tensor:
        """Elements before and after each axis, in one of the modes of `ops.pad`."""

    def repeat(self, x: Tensor, /, repeats: Any, axis: int | None = None) -> Tensor:
        """Each element so often along `axis`; `repeats` is a number or one for each element."""

    def reshape(self, x: Tensor, /, newshape: Any) -> Tensor:
        """Another shape; one size may be -1, and sizes may be scalar tensors in a trace."""

    def split(self, x: Tensor, /, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        """A list of that many equal parts, or of the parts before each of the indices."""
        ...

    def squeeze(self, x: Tensor, /, axis: Axis = None) -> Tensor:
        """Without axes of size 1: those in `axis`, or all."""

    def stack(self, x: Sequence[Tensor], /, axis: int = 0) -> Tensor:
        """Joined along a new axis."""

    def tile(self, x: Tensor, /, repeats: Any) -> Tensor:
        """The whole tensor repeated along each axis; missing axes count as size 1."""

    def transpose(self, x: Tensor, /, axes: Sequence[int] | None = None) -> Tensor:
        """The axes in the order `axes`; reversed for None."""

    def unstack(self, x: Tensor, /, num: int | None = None, axis: int = 0) -> list[Tensor]:
        """The list of slices along `axis`, without it."""
        ...

    def view(self, x: Tensor, /, dtype: Any = None) -> Tensor:
        """The same bytes as another dtype; the last axis becomes longer or shorter."""

    def view_as_complex(self, x: Tensor, /) -> Tensor:
        """Pairs of floats along the last axis as complex numbers."""

    def view_as_real(self, x: Tensor, /) -> Tensor:
        """Complex numbers as pairs of floats along a new last axis."""


class Selection(Protocol):
    """Elements that are chosen by condition, place or order. The dtype stays."""

    def argsort(self, x: Tensor, /, axis: int | None = -1) -> Tensor:
        """Indices (int32) that would sort; equal elements keep their order."""

    def getitem(self, x: Tensor, /, key: Any) -> Tensor:
        """`x[key]` as in NumPy: integers, slices, `...`, None, tensors of integers or booleans."""

    def scatter_update(
        self, inputs: Tensor, indices: Tensor, updates: Tensor, /, reduction: str | None = None
    ) -> Tensor:
        """A copy with updates at rows of indices, or combined; see `ops.scatter_update`."""

    def sort(self, x: Tensor, /, axis: int = -1) -> Tensor:
        """Elements in rising order along `axis`, NaN last; of the flattened tensor for None."""

    def take(self, x: Tensor, indices: Tensor, /, axis: int | None = None) -> Tensor:
        """Elements or slices; negative indices count from the end, others are clipped."""

    def take_along_axis(self, x: Tensor, indices: Tensor, /, axis: int | None = None) -> Tensor:
        """Elements position by position along the other axes, which broadcast."""

    def top_k(self, x: Tensor, /, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
        """The largest elements of the last axis and their indices (int32); ties in order."""
        ...

    def where(self, condition: Tensor, x1: Tensor = None, x2: Tensor = None, /) -> Any:
        """`x1` where the condition holds, else `x2`; without them, the places (int32)."""


class Products(Protocol):
    """Operands of one dtype, which the result has. 16-bit floats are summed in 32 bits.

    Windows move along the axes that are neither batch nor channels: one, two or three. The padding
    is "valid" or "same" (see `keras_fn.backend.conv_geometry`); the data format None is the
    configured one.
    """

    def average_pool(
        self,
        inputs: Tensor,
        /,
        pool_size: Sizes,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Tensor:
        """Mean of each window, channel by channel; what padding adds does not count."""

    def conv(
        self,
        inputs: Tensor,
        kernel: Tensor,
        /,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
    ) -> Tensor:
        """Sums of products with the kernel, of shape `(*window, channels / groups, filters)`."""

    def conv_transpose(
        self,
        inputs: Tensor,
        kernel: Tensor,
        /,
        strides: Sizes = 1,
        padding: str = "valid",
        output_padding: Sizes | None = None,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
    ) -> Tensor:
        """Windows added up; the kernel has shape `(*window, filters, channels)`."""

    def einsum(self, subscripts: str, /, *operands: Tensor) -> Tensor:
        """Sum of products in Einstein's notation, with `...` and with an implied output."""

    def matmul(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Matrix product over the last two axes, or of vectors; axes before them broadcast."""

    def max_pool(
        self,
        inputs: Tensor,
        /,
        pool_size: Sizes,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Tensor:
        """Largest element of each window, channel by channel; padding is never the largest."""

    def tensordot(self, x1: Tensor, x2: Tensor, /, axes: Any = 2) -> Tensor:
        """Sums of products over the last axes of `x1` and the first of `x2`, or over given ones."""


class Matrices(Protocol):
    """Over the last two axes of stacks of matrices, of floats or complex numbers.

    Systems that have no single solution, and matrices that are not positive definite, raise the
    errors of `keras_fn.core.linalg_errors` where values can be looked at.
    """

    def cholesky(self, x: Tensor, /, upper: bool = False) -> Tensor:
        """Triangular L with `x = L @ L.T`, of the symmetric part of `x`."""

    def det(self, x: Tensor, /) -> Tensor:
        """Determinant."""

    def eig(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Eigenvalues and eigenvectors, complex always."""
        ...

    def eigh(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Eigenvalues, real and rising, and eigenvectors of the symmetric part of `x`."""
        ...

    def inv(self, x: Tensor, /) -> Tensor:
        """Inverse."""

    def lu_factor(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """L and U in one matrix, and the row (int32) that each row was exchanged with, in turn."""
        ...

    def pinv(self, x: Tensor, /, rcond: float | None = None) -> Tensor:
        """Pseudoinverse; see `keras_fn.core.linalg_errors.cutoff` for the bound."""

    def qr(self, x: Tensor, /, mode: str = "reduced") -> tuple[Tensor, Tensor]:
        """Orthonormal Q and upper triangular R; `mode` is "reduced" or "complete"."""
        ...

    def slogdet(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Sign of the determinant, and logarithm of its absolute value."""
        ...

    def solve(self, a: Tensor, b: Tensor, /) -> Tensor:
        """The x with `a @ x = b`; a `b` of one axis is a vector, leading axes broadcast."""

    def solve_triangular(self, a: Tensor, b: Tensor, /, lower: bool = False) -> Tensor:
        """As `solve`; the other triangle of `a` is not read."""

    def svd(self, x: Tensor, /, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        """U, the singular values s, falling, and V: `x = U @ diag(s) @ V`; or s alone."""


class Transforms(Protocol):
    """Discrete Fourier transforms along the last axis. A pair of real tensors is a complex one."""

    def fft(self, x: Sequence[Tensor], /) -> tuple[Tensor, Tensor]:
        """Of a pair."""
        ...

    def irfft(self, x: Sequence[Tensor], /, fft_length: int | None = None) -> Tensor:
        """Inverse of `rfft`; the length of the result is `2 * (n - 1)` by default."""

    def rfft(self, x: Tensor, /, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
        """The first half of the transform; the input is cut or padded to the length."""
        ...


class Primitives(
    Makers,
    Transformations,
    Elementwise,
    OfFloats,
    Booleans,
    Reductions,
    Shapes,
    Selection,
    Products,
    Matrices,
    Transforms,
    Protocol,
):
    """All of them: `Backend.ops`."""
