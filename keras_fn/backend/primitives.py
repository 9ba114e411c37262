"""The primitive ops: what every backend computes. All other ops are composed of them.

A module satisfies the protocol, with a function for each method. The frontend has converted the
arguments: operands are tensors of the backend and are passed by position, options by name or by
position. Operands that are promoted to one dtype have it; next to a tensor there may be a Python
number.

Arguments that an op's rule refuses reach the backend nevertheless, which saves the check: it fails
with any error, and the rule then raises the one that explains it. A backend may define other ops of
`keras_fn.ops`, under their names: they take precedence over the compositions.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keras_fn.backend.backend_types import Axis, Sizes, Tensor
from keras_fn.backend.function_transforms import FunctionTransforms


class Creation(Protocol):
    """Creation of tensors. These are not ops of `keras_fn.ops`; all arguments are positional."""

    def arange(self, start: Any, stop: Any, step: Any, dtype: str, /) -> Tensor:
        """Evenly spaced numbers from `start` (inclusive) to `stop` (exclusive)."""

    def full(self, shape: Sequence[Any], value: Any, dtype: str, /) -> Tensor:
        """A tensor filled with a number. Sizes may be scalar tensors in a trace."""


class Random(Protocol):
    """Stateless random numbers: they depend on the seed alone, a tensor of two integers.

    These are not ops of `keras_fn.ops`; all arguments are positional.
    """

    def random_normal(self, shape: Sequence[Any], dtype: str, seed: Tensor, /) -> Tensor:
        """Standard normal floats."""

    def random_randint(
        self, shape: Sequence[Any], minval: Any, maxval: Any, dtype: str, seed: Tensor, /
    ) -> Tensor:
        """Uniform integers in [minval, maxval); the limits are numbers or scalar tensors."""

    def random_uniform(self, shape: Sequence[Any], dtype: str, seed: Tensor, /) -> Tensor:
        """Uniform floats in [0, 1)."""


class ControlFlow(Protocol):
    """Loops. These are not ops of `keras_fn.ops`; all arguments are positional."""

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
        """Same as `keras_fn.ops.scan`; None among the carries, slices or outputs stays None."""
        ...


class Arithmetic(Protocol):
    """Elementwise arithmetic: the operands have one dtype, which the result has. Shapes broadcast.

    A Python number takes the dtype of the tensor next to it. Infinities and NaN are as in NumPy,
    without a warning.
    """

    def absolute(self, x: Tensor, /) -> Tensor:
        """Absolute value."""

    def add(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 + x2`."""

    def floor_divide(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Quotient rounded towards negative infinity."""

    def gcd(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Greatest common divisor of the absolute values; `gcd(0, 0)` is 0."""

    def maximum(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Elementwise maximum; NaN if either element is NaN."""

    def minimum(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Elementwise minimum; NaN if either element is NaN."""

    def mod(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Remainder with the sign of `x2`."""

    def multiply(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 * x2`."""

    def negative(self, x: Tensor, /) -> Tensor:
        """`-x`."""

    def power(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1` to the power of `x2`."""

    def round(self, x: Tensor, /, decimals: int = 0) -> Tensor:
        """Rounded to `decimals` digits after the point, halves to even."""

    def sign(self, x: Tensor, /) -> Tensor:
        """-1, 0 or 1, the sign of `x`; NaN for NaN."""

    def stop_gradient(self, variable: Tensor, /) -> Tensor:
        """The tensor itself, treated as a constant by differentiation."""

    def subtract(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 - x2`."""


class Bitwise(Protocol):
    """Bitwise operators of integers and booleans; dtypes and shapes as in `Arithmetic`."""

    def bitwise_and(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bitwise AND; logical AND of booleans."""

    def bitwise_left_shift(self, x: Tensor, y: Tensor, /) -> Tensor:
        """`x << y`; 0 if `y` is at least the number of bits."""

    def bitwise_not(self, x: Tensor, /) -> Tensor:
        """Bitwise NOT; logical NOT of booleans."""

    def bitwise_or(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bitwise OR; logical OR of booleans."""

    def bitwise_right_shift(self, x: Tensor, y: Tensor, /) -> Tensor:
        """`x >> y`, arithmetic (sign-extending) for signed integers."""

    def bitwise_xor(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Bitwise XOR; logical XOR of booleans."""


class FloatElementwise(Protocol):
    """Elementwise functions of floats: the frontend has cast integers to floats."""

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
        """Complementary error function `1 - erf(x)`, accurate for large `x`."""

    def erfinv(self, x: Tensor, /) -> Tensor:
        """Inverse error function."""

    def exp(self, x: Tensor, /) -> Tensor:
        """e to the power of `x`."""

    def exp2(self, x: Tensor, /) -> Tensor:
        """2 to the power of `x`."""

    def expm1(self, x: Tensor, /) -> Tensor:
        """`exp(x) - 1`, accurate near 0."""

    def floor(self, x: Tensor, /) -> Tensor:
        """Largest integer not above `x`, as a float."""

    def i0(self, x: Tensor, /) -> Tensor:
        """Modified Bessel function of the first kind, order 0."""

    def log(self, x: Tensor, /) -> Tensor:
        """Natural logarithm."""

    def log10(self, x: Tensor, /) -> Tensor:
        """Base-10 logarithm."""

    def log1p(self, x: Tensor, /) -> Tensor:
        """`log(1 + x)`, accurate near 0."""

    def log2(self, x: Tensor, /) -> Tensor:
        """Base-2 logarithm."""

    def nextafter(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """The next representable number after `x1` towards `x2`."""

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


class Logic(Protocol):
    """Comparisons, tests and logical operators: elementwise, with a boolean result.

    The operands of `logical_*` are booleans. `where` selects by a condition.
    """

    def equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 == x2`."""

    def greater(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 > x2`."""

    def greater_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 >= x2`."""

    def isfinite(self, x: Tensor, /) -> Tensor:
        """Whether each element is finite: neither infinite nor NaN."""

    def isinf(self, x: Tensor, /) -> Tensor:
        """Whether each element is infinite."""

    def isnan(self, x: Tensor, /) -> Tensor:
        """Whether each element is NaN."""

    def less(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 < x2`."""

    def less_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 <= x2`."""

    def logical_and(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical AND."""

    def logical_not(self, x: Tensor, /) -> Tensor:
        """Logical NOT."""

    def logical_or(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical OR."""

    def logical_xor(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Logical XOR."""

    def not_equal(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """`x1 != x2`."""

    def where(self, condition: Tensor, x1: Tensor = None, x2: Tensor = None, /) -> Any:
        """`x1` where the condition is True, else `x2`; without them, the indices (int32)."""


class Reductions(Protocol):
    """Reductions over `axis`: one axis, a tuple or list of them, none (`()`) or all (None).

    The result has the dtype of the operand, which the op's rule has chosen: small integers are cast
    to int32 before they are summed. Sums of 16-bit floats are computed in 32 bits.
    """

    def all(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether all elements are True."""

    def any(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether any element is True."""

    def argmax(self, x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Index (int32) of the first largest element; of the flattened tensor for None."""

    def argmin(self, x: Tensor, /, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Index (int32) of the first smallest element; of the flattened tensor for None."""

    def cumprod(self, x: Tensor, /, axis: int | None = None, dtype: str | None = None) -> Tensor:
        """Cumulative product, with axis and dtype as in `cumsum`."""

    def cumsum(self, x: Tensor, /, axis: int | None = None, dtype: str | None = None) -> Tensor:
        """Cumulative sum, of the flattened tensor for axis None; in `dtype` if one is given."""

    def max(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> Tensor:
        """Maximum of the elements and `initial`; NaN if any element is NaN."""

    def mean(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Arithmetic mean."""

    def min(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> Tensor:
        """Minimum of the elements and `initial`; NaN if any element is NaN."""

    def prod(
        self, x: Tensor, /, axis: Axis = None, keepdims: bool = False, dtype: Any = None
    ) -> Tensor:
        """Product, computed in `dtype` if one is given."""

    def softmax(self, x: Tensor, /, axis: Any = -1) -> Tensor:
        """`exp(x)` normalized to sum 1 along `axis` (one or several), without overflow."""

    def sum(self, x: Tensor, /, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum."""


class Manipulation(Protocol):
    """Array manipulation: the same elements in another shape or order. The dtype stays."""

    def broadcast_to(self, x: Tensor, /, shape: Any) -> Tensor:
        """Broadcast to a shape, as in NumPy."""

    def cast(self, x: Tensor, /, dtype: Any) -> Tensor:
        """Cast to a dtype: a name, or anything that `standardize_dtype` takes."""

    def concatenate(self, xs: Sequence[Tensor], /, axis: int | None = 0) -> Tensor:
        """Concatenation along an existing axis; of the flattened tensors for None."""

    def expand_dims(self, x: Tensor, /, axis: Any) -> Tensor:
        """With axes of size 1 inserted at the positions `axis` (one or several) of the result."""

    def flip(self, x: Tensor, /, axis: Axis = None) -> Tensor:
        """Reversed along `axis`: one, several, or all for None."""

    def pad_nd(
        self, x: Tensor, /, widths: list[tuple[int, int]], mode: str, value: float
    ) -> Tensor:
        """Padded with `(before, after)` elements on each axis, in a mode of `ops.pad`."""

    def repeat(self, x: Tensor, /, repeats: Any, axis: int | None = None) -> Tensor:
        """Each element repeated along `axis`; `repeats` is a number or one for each element."""

    def reshape(self, x: Tensor, /, newshape: Any) -> Tensor:
        """Reshaped; one size may be -1, and sizes may be scalar tensors in a trace."""

    def split(self, x: Tensor, /, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        """Split into equal sections, or at indices."""
        ...

    def squeeze(self, x: Tensor, /, axis: Axis = None) -> Tensor:
        """Without axes of size 1: the ones in `axis`, or all for None."""

    def stack(self, x: Sequence[Tensor], /, axis: int = 0) -> Tensor:
        """Stacked along a new axis."""

    def tile(self, x: Tensor, /, repeats: Any) -> Tensor:
        """Tiled along each axis; missing axes count as size 1."""

    def transpose(self, x: Tensor, /, axes: Sequence[int] | None = None) -> Tensor:
        """With the axes permuted to the order `axes`; reversed for None."""

    def unstack(self, x: Tensor, /, num: int | None = None, axis: int = 0) -> list[Tensor]:
        """Slices along `axis`, without that axis."""
        ...

    def view(self, x: Tensor, /, dtype: Any = None) -> Tensor:
        """The same bytes reinterpreted as another dtype; the last axis grows or shrinks."""

    def view_as_complex(self, x: Tensor, /) -> Tensor:
        """Pairs of floats along the last axis as complex numbers."""

    def view_as_real(self, x: Tensor, /) -> Tensor:
        """Complex numbers as pairs of floats along a new last axis."""


class Indexing(Protocol):
    """Indexing, gather and scatter. The dtype stays."""

    def getitem(self, x: Tensor, /, key: Any) -> Tensor:
        """`x[key]` as in NumPy: integers, slices, `...`, None, integer and boolean tensors."""

    def scatter_update(
        self, inputs: Tensor, indices: Tensor, updates: Tensor, /, reduction: str | None = None
    ) -> Tensor:
        """A copy with updates written, or combined, at indices; see `ops.scatter_update`."""

    def take(self, x: Tensor, indices: Tensor, /, axis: int | None = None) -> Tensor:
        """Gather along `axis`; negative indices count from the end, others are clipped."""

    def take_along_axis(self, x: Tensor, indices: Tensor, /, axis: int | None = None) -> Tensor:
        """Gather along `axis` with an index for each position of the other axes."""


class SortingSearching(Protocol):
    """Sorting. The dtype stays."""

    def argsort(self, x: Tensor, /, axis: int | None = -1) -> Tensor:
        """Indices (int32) that sort the tensor along `axis`; the sort is stable."""

    def sort(self, x: Tensor, /, axis: int = -1) -> Tensor:
        """Sorted in ascending order along `axis`, NaN last; flattened first for None."""

    def top_k(self, x: Tensor, /, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest elements of the last axis and their indices (int32)."""
        ...


class Products(Protocol):
    """Matrix and tensor products: the operands have one dtype, which the result has.

    16-bit floats are accumulated in 32 bits.
    """

    def einsum(self, subscripts: str, /, *operands: Tensor) -> Tensor:
        """Einstein summation, with `...` and implicit output."""

    def matmul(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        """Matrix product over the last two axes, or of vectors; leading axes broadcast."""

    def tensordot(self, x1: Tensor, x2: Tensor, /, axes: Any = 2) -> Tensor:
        """Tensor contraction over the last axes of `x1` and the first of `x2`, or given axes."""


class Convolution(Protocol):
    """Convolution and pooling over one, two or three spatial axes.

    The padding is "valid" or "same" (see `keras_fn.backend.conv_geometry`); the data format None
    is the configured one. 16-bit floats are accumulated in 32 bits.
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
        """Average of each window, per channel; padding is not counted."""

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
        """Convolution with a kernel of shape `(*window, channels / groups, filters)`."""

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
        """Transposed convolution with a kernel of shape `(*window, filters, channels)`."""

    def max_pool(
        self,
        inputs: Tensor,
        /,
        pool_size: Sizes,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Tensor:
        """Maximum of each window, per channel; padding is never the maximum."""


class LinearAlgebra(Protocol):
    """Decompositions and solvers over the last two axes of real or complex floats.

    Singular systems, and matrices that are not positive definite, raise the errors of
    `keras_fn.core.linalg_errors` where values are available.
    """

    def cholesky(self, x: Tensor, /, upper: bool = False) -> Tensor:
        """Cholesky factor L with `x = L @ L.T`, of the symmetric part of `x`."""

    def det(self, x: Tensor, /) -> Tensor:
        """Determinant."""

    def eig(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Eigenvalues and eigenvectors, always complex."""
        ...

    def eigh(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Real eigenvalues in ascending order, and eigenvectors, of the symmetric part of `x`."""
        ...

    def inv(self, x: Tensor, /) -> Tensor:
        """Inverse."""

    def lu_factor(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """L and U in one matrix, and the pivots (int32): the row swapped with each row."""
        ...

    def pinv(self, x: Tensor, /, rcond: float | None = None) -> Tensor:
        """Moore-Penrose pseudoinverse; the default `rcond` is in `keras_fn.core.linalg_errors`."""

    def qr(self, x: Tensor, /, mode: str = "reduced") -> tuple[Tensor, Tensor]:
        """Orthonormal Q and upper triangular R; `mode` is "reduced" or "complete"."""
        ...

    def slogdet(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Sign and logarithm of the absolute value of the determinant."""
        ...

    def solve(self, a: Tensor, b: Tensor, /) -> Tensor:
        """The solution x of `a @ x = b`; a 1D `b` is a vector, leading axes broadcast."""

    def solve_triangular(self, a: Tensor, b: Tensor, /, lower: bool = False) -> Tensor:
        """Same as `solve` for a triangular `a`; the other triangle is not read."""

    def svd(self, x: Tensor, /, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        """U, singular values s in descending order, and V: `x = U @ diag(s) @ V`; or s alone."""


class FFT(Protocol):
    """Discrete Fourier transforms along the last axis. A complex tensor is a pair of real ones."""

    def fft(self, x: Sequence[Tensor], /) -> tuple[Tensor, Tensor]:
        """Transform of a pair."""
        ...

    def irfft(self, x: Sequence[Tensor], /, fft_length: int | None = None) -> Tensor:
        """Inverse of `rfft`; the default length of the result is `2 * (n - 1)`."""

    def rfft(self, x: Tensor, /, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
        """First half of the transform of a real tensor, which is cut or padded to `fft_length`."""
        ...


class Primitives(
    Creation,
    Random,
    ControlFlow,
    Arithmetic,
    Bitwise,
    FloatElementwise,
    Logic,
    Reductions,
    Manipulation,
    Indexing,
    SortingSearching,
    Products,
    Convolution,
    LinearAlgebra,
    FFT,
    FunctionTransforms,
    Protocol,
):
    """All primitive ops: the type of `Backend.ops`."""
