"""Where real Keras 3.15.1 and this package disagree, and who is right."""

import re
from dataclasses import dataclass
from typing import NamedTuple


class Disagreement(NamedTuple):
    """One call that Keras answers otherwise.

    Attributes:
        op: The op.
        backend: Whose tensors.
        dtype: The dtype that the case is tried in.
        kind: What differs: Keras "raises", ours has "refused", or the "shape", "dtype" or
            "values"; "drawn" for dtypes of drawn operands.
        text: Its error, or both results.
        plain: The arguments that are not tensors.
    """

    op: str
    backend: str
    dtype: str
    kind: str
    text: str
    plain: str


@dataclass(frozen=True)
class Known:
    """Disagreements that were looked into. An empty field excludes none.

    Attributes:
        reason: Who is right, and why.
        kind: As in `Disagreement`.
        ops: Their names.
        on: Backends.
        dtypes: Dtypes of the case.
        says: A pattern in the text, or in the arguments that are not tensors.
    """

    reason: str
    kind: str
    ops: str = ""
    on: str = ""
    dtypes: str = ""
    says: str = ""

    def explains(self, found: Disagreement) -> bool:
        """Whether this is such a disagreement."""
        named = ((self.ops, found.op), (self.on, found.backend), (self.dtypes, found.dtype))
        return (
            found.kind == self.kind
            and all(not names or name in names.split() for names, name in named)
            and re.search(self.says, f"{found.text} {found.plain}") is not None
        )


def reason(found: Disagreement) -> str | None:
    """Why a call differs, if that is known."""
    return next((known.reason for known in KNOWN if known.explains(found)), None)


CRASHES = {("adaptive_max_pool", "tensorflow"): "TensorFlow divides by zero and ends the process"}
"""Ops that cannot be called in Keras."""

NO_KERNEL = "|".join((
    "not implemented for '", "in the list of allowed values", "Could not find device for node",
    "does not accept dtype", "Low precision dtypes", "UnsupportedError dtype", "not inexact",
    "Expected a floating point", "Expected numeric", "must be a numeric", "float`-like",
    "types other than float", "dimensions of float", "could not infer output dtype",
    "must be a floating point tensor", "is not of type float", "Invalid input type",
    "cannot compute .* as input #", "Cannot convert [-0-9.]+ to EagerTensor",
    "have incorrect types", "expected both inputs to be Half", "requires tf.float32",
    "input must be float32 or float64", "complex ScalarType", "non-complex dtypes",
    "'out_dtype'", "expected scalar type", "same dtype", "TensorArray dtype",
    "only supports the NHWC", "bool inputs not supported", "with a bool tensor is not",
    "Boolean inputs not supported", "Found dtype Float but expected", "must be tuple of ints",
    "shape must be a vector", "Unsupported dtype [Bb][Ff]loat16",
))  # fmt: skip
BY_ITS_OWN_WORD = "|".join((
    "not supported by the PyTorch backend", "does not support an `axis`",
    "Torch backend does not support", "when using the (tensorflow|JAX) backend",
    "only supported for JAX on TPU", "Only axis=-1", "`strides > 1` not supported",
    "supported for square matrices in Tensorflow", "Only one of `bias` and `mask`",
    "Flash attention is not supported", "Argument `order` must", "`block_size` must",
    "`indices_or_sections` must", "`sequence_stride` must",
    "Invalid value for argument `fill_mode`", "hop_length",
))  # fmt: skip

KNOWN: list[Known] = [
    # ------------------------------------------------------------ what Keras refuses, we do
    Known("Keras hands a dtype on to a kernel that lacks it; ours computes in one that has it",
          "raises", says=f"(?i){NO_KERNEL}"),
    Known("Keras says that it cannot do this; ours can", "raises", says=BY_ITS_OWN_WORD),
    Known("an op of ours, by which layers square differences", "raises", "squared_difference"),
    Known("indices or segments out of range: Keras leaves them to the framework; ours counts them "
          "from the end, or leaves them out, on every backend", "raises",
          "take take_along_axis scatter scatter_update slice slice_update segment_sum "
          "segment_prod segment_max segment_min get_item one_hot multi_hot",
          says="(?i)out of (bounds|DATA bounds|range)|does not index|is not in \\[0|exceeds dim|"
               "Expected size|smaller than num_classes"),
    Known("operands that broadcast, or are of NumPy's ranks: the framework's function, which Keras "
          "calls as it is, wants equal ones", "raises",
          "roll vdot cross dot hstack vstack pad concatenate meshgrid repeat norm corrcoef "
          "trapezoid searchsorted solve solve_triangular scatter_update linspace logspace "
          "geomspace average argpartition repeat unique "
          "extract_sequences bincount get_item dot_product_attention"),
    Known("patterns of einops with `...`, `1` or `()`: Keras reads names only", "raises",
          "rearrange"),
    Known("statistics or weights of other axes than the last: Keras leaves these shapes to the "
          "framework", "raises", "layer_normalization rms_normalization"),
    Known("a matrix without an inverse has a factorisation all the same", "raises", "lu_factor",
          says="is zero|not invertible"),
    Known("one transform for all images, or one pair of points: documented, but Keras makes as "
          "many rows as there are images", "raises",
          "image.affine_transform image.perspective_transform"),
    Known("kernels and images of size 1 or 2: Keras pads by half a kernel, whatever its sizes, or "
          "divides by size - 1", "raises",
          "image.gaussian_blur image.sobel_edges image.map_coordinates image.affine_transform "
          "kaiser"),
    Known("a shape of one number", "raises", "unravel_index"),
    Known("batches of matrices", "raises", "lu_factor", on="tensorflow"),
    Known("batches of matrices: Keras on JAX turns the batch", "raises", "cholesky_inverse",
          on="jax", says="'upper': True"),
    Known("axes as a list: a static argument on JAX, which must be hashable", "raises", "rot90",
          on="jax", says="Non-hashable"),
    Known("several axes, one after the other: Keras takes them for symbolic tensors only", "raises",
          "nancumsum nancumprod"),
    Known("convolves integers", "raises", "image.extract_patches_3d", on="tensorflow"),
    Known("JAX's `reduce_window` refuses what Keras makes of one number for several axes",
          "raises", "max_pool average_pool", on="jax"),
    Known("classes along another axis than the last", "raises", "sparse_categorical_crossentropy"),
    Known("more paths than there are: ours fills up with -inf", "raises", "ctc_decode",
          on="tensorflow"),
    Known("what is empty in NumPy: a range, a diagonal outside the matrix", "raises",
          "arange diagonal diag trace tril triu", on="torch tensorflow"),
    # ------------------------------------------------------------ values
    Known("Keras sums a tensor of more axes along all of them", "values", "sparsemax"),
    Known("memory as it is", "values", "empty"),
    Known("NaN has no sign and is returned", "values",
          "heaviside signbit angle sort argsort searchsorted argmax argmin"),
    Known("infinities, and what overflows into them: ours as NumPy", "values",
          "nextafter nancumsum ldexp isclose hypot"),
    Known("cancellation: ours scales first, or takes the difference", "values",
          "cdist layer_normalization logaddexp2 image.ssim polar"),
    Known("indices out of range: the nearest element in ours, as in related ops", "values",
          "take take_along_axis unravel_index slice slice_update"),
    Known("Keras counts the padding in the mean, on PyTorch alone", "values", "average_pool",
          on="torch"),
    Known("PyTorch's cubic is another (a = -0.75); TensorFlow's is a table of 1024 entries",
          "values", "image.resize", on="torch tensorflow", says="bicubic"),
    Known("integers: ours rounds, as NumPy does to the nearest; Keras drops the fraction, or that "
          "of fill_value", "values",
          "image.scale_and_translate image.affine_transform image.perspective_transform"),
    Known("Keras on TensorFlow scrambles kernels that are not square", "values",
          "image.gaussian_blur", on="tensorflow"),
    Known("TensorFlow mirrors at the borders; elsewhere Keras adds zeros, as ours", "values",
          "image.sobel_edges", on="tensorflow"),
    Known("TensorFlow's own pixels beyond the border; elsewhere Keras is as SciPy, as ours",
          "values", "image.map_coordinates image.affine_transform", on="tensorflow",
          says="reflect|wrap|mirror"),
    Known("`c0` and `c1` divide, as documented: Keras does so on TensorFlow only", "values",
          "image.affine_transform", on="jax torch"),
    Known("integers of a falling range: ours floors, as NumPy", "values", "linspace", on="torch"),
    Known("channels first: the order of the new channels is another on TensorFlow alone",
          "values", "space_to_depth", on="tensorflow", says="channels_first"),
    Known("labels that no path spells: the loss is infinite; Keras gives a large number", "values",
          "ctc_loss", on="jax tensorflow"),
    Known("Keras passes over `merge_repeated` in a beam search, and finds a label in samples of no "
          "steps", "values", "ctc_decode", says="beam_search"),
    Known("`torch.cross` takes the first axis of size 3", "values", "cross", on="torch"),
    Known("one number of a range is its start", "values", "logspace", on="torch", says="'num': 1"),
    Known("Keras compares integers exactly, whatever the tolerance", "values", "allclose",
          dtypes="int32 bool"),
    Known("Keras turns the wrong axes", "values", "rot90", on="tensorflow"),
    Known("Keras on PyTorch gets the order of the axes wrong", "values", "count_nonzero pad",
          on="torch"),
    Known("1-d weights for an axis that is not the last", "values", "average", on="torch"),
    Known("updates that broadcast are not laid out", "values", "scatter_update", on="torch"),
    Known("segments without elements: ours the neutral element of the dtype, as JAX", "values",
          "segment_max segment_min", on="torch", dtypes="int8 int32"),
    Known("`unique` fills places with the first, not with 0 as documented", "values", "unique",
          on="jax tensorflow", says="'size'"),
    Known("the window of `stft`, padded or not, differs between Keras's backends; ours is JAX's",
          "values", "stft istft", on="torch tensorflow"),
    Known("a stride that leaves no overlap: ours inverts it", "values", "istft", on="jax"),
    Known("TensorFlow does not conjugate", "values", "vdot", on="tensorflow", dtypes="complex64"),
    Known("an element of the smallest and largest value alike: bins around it, as in NumPy",
          "values", "histogram", on="tensorflow"),
    Known("squares of integers overflow, or their mean is an integer", "values", "psnr",
          dtypes="int32"),
    Known("a single sample without a batch", "values", "sparse_categorical_crossentropy",
          on="tensorflow"),
    Known("of matrices that are not symmetric, too: Keras takes the lower triangle alone", "values",
          "logdet", on="tensorflow"),
    Known("the place of a quantile in float64, as in NumPy: float32 misses elements by a hair",
          "values", "quantile nanquantile percentile nanpercentile", on="tensorflow jax",
          says="midpoint|higher|lower|nearest"),
    Known("the middle of the longer one, as in NumPy", "values", "correlate", on="tensorflow",
          says="'same'"),
    # ------------------------------------------------------------ shapes
    Known("PyTorch's reductions of all axes drop them, `keepdims` or not", "shape",
          "sum prod nanprod max min amax amin ptp", on="torch", says="'keepdims': True|initial"),
    Known("NumPy's shapes, which Keras on PyTorch does not have", "shape",
          "dot average pad correlate linspace geomspace cross count_nonzero "
          "image.gaussian_blur", on="torch"),
    Known("no columns where `M` is 0, as in NumPy", "shape", "tri", on="torch"),
    Known("`...` is any number of axes", "shape", "rearrange"),
    Known("a right side of one axis less: vectors on some of Keras's backends, one matrix on "
          "others; in ours, as in NumPy, only a single vector is a vector", "shape",
          "solve solve_triangular"),
    Known("a size of -1 is what is left, as on TensorFlow", "shape", "slice", on="torch"),
    Known("a `length` beyond the end is filled up with zeros", "shape", "istft",
          says="'length': [0-9]"),
    Known("places as a tuple, as NumPy and JAX; Keras on PyTorch stacks them", "shape",
          "where nonzero", on="torch"),
    Known("NaN is one value, as in NumPy", "shape", "unique"),
    Known("Keras on TensorFlow broadcasts what has one number only", "shape", "geomspace",
          on="tensorflow"),
    Known("the axis of the classes is reduced away in Keras", "shape", "multi_hot"),
    Known("one row: NumPy, JAX and PyTorch drop both axes; ours knows its rank beforehand",
          "shape", "corrcoef", on="jax torch"),
    Known("Keras leaves out the padding", "shape", "fold", on="jax"),
    Known("Keras mixes up the axes of a batch", "shape", "cholesky_inverse", on="jax"),
    Known("Keras loses the last element", "shape", "istft", on="jax"),
    # ------------------------------------------------------------ dtypes
    Known("PyTorch has no arithmetic of uint32, ours has", "dtype",
          "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_invert left_shift "
          "bitwise_left_shift right_shift bitwise_right_shift gcd lcm sum nansum prod nanprod",
          on="torch", dtypes="uint8 uint32"),
    Known("float64 and complex128 stay", "dtype",
          "linspace logspace geomspace maximum minimum fmax fmin hypot logaddexp logaddexp2 "
          "arctan2 heaviside ldexp quantile nanquantile median nanmedian view_as_complex angle "
          "correlate",
          dtypes="float64 complex128"),
    Known("a Python number is weak: the tensor operand keeps its dtype", "dtype",
          "hypot logaddexp logaddexp2 arctan2 heaviside dot squareplus",
          dtypes="bfloat16 float16"),
    Known("a scalar tensor is as strong as another; PyTorch's is weak", "dtype",
          "add subtract multiply divide true_divide power", on="torch"),
    Known("half precision stays; of a loss, that of the output", "dtype",
          "angle geomspace binary_crossentropy sparse_categorical_crossentropy",
          dtypes="bfloat16 float16"),
    Known("slopes of booleans are numbers", "dtype", "image.sobel_edges", dtypes="bool"),
    Known("indices and counts are int32, as Keras documents", "dtype", "top_k unique size",
          on="torch"),
    Known("int32 stays", "dtype", "einsum relu6", dtypes="int32 bool"),
    Known("means and normalized values are floats", "dtype",
          "moments image.ssim histogram batch_normalization heaviside"),
    Known("images keep their dtype", "dtype", "image.scale_and_translate", dtypes="int32"),
    Known("Keras drops the imaginary part", "dtype", "correlate", dtypes="complex64",
          on="torch tensorflow"),
    Known("Keras passes over `dtype`", "dtype", "prod", on="tensorflow", says="'dtype'"),
    Known("NumPy's default makes float64 of it", "dtype", "select", on="tensorflow"),
    # ------------------------------------------------------------ refused, as by NumPy
    Known("there is no subtraction of booleans", "refused", "cross", says="received: booleans"),
    Known("only integers are counted", "refused", "bincount", says="expected: integers"),
    # ------------------------------------------------------------ dtypes of drawn operands
    Known("PyTorch has little arithmetic of uint16 and uint32: Keras takes signed integers instead",
          "drawn", on="torch", says="uint16|uint32"),
    Known("PyTorch has little arithmetic of uint16: Keras takes int32, of twice the size", "shape",
          "view", on="torch", says="uint16|uint32"),
    Known("64 bits stay, as in NumPy; Keras makes 32 of them here and there", "drawn",
          on="torch tensorflow", says="ours .*(int64|float64|complex128).*, Keras"),
    Known("a Python number is weak: the tensor operand keeps its dtype, unless the number is a "
          "float and the tensor of integers", "drawn", on="torch tensorflow jax",
          says=r"\[[^\[\]]*(True|[0-9])[^\[\]]*\] \{"),
    Known("integers and a float bound or default are floats, as in NumPy", "drawn", "threshold"),
    Known("unsigned integers of two sizes: the larger one", "drawn", "power", on="jax"),
    Known("averages, counts per bin, correlations and attention are floats", "drawn",
          "dot_product_attention image.ssim histogram average_pool corrcoef heaviside "
          "batch_normalization moments"),
    Known("indices and counts are int32, as Keras documents", "drawn",
          "top_k unique size where nonzero argmax argmin", on="torch tensorflow"),
    Known("`initial` does not widen", "drawn", "max min", on="torch"),
    Known("integers become float32 or the widest float among the operands, not float64", "drawn",
          "i0 heaviside select trapezoid", on="torch tensorflow jax"),
    Known("booleans and Python integers make int32", "drawn",
          "einsum select left_shift right_shift bitwise_left_shift bitwise_right_shift bitwise_and "
          "bitwise_or bitwise_xor", says="Keras's .*int64"),
    Known("each grid keeps the dtype of its coordinates, as in NumPy", "drawn", "meshgrid"),
    Known("Keras drops the imaginary part", "drawn", "correlate", says="complex"),
    Known("integers stay, as in relu and on the other backends", "drawn", "relu6", on="jax"),
    Known("half precision stays", "drawn", "geomspace angle squareplus"),
    Known("Keras passes over `dtype`", "drawn", "prod", on="tensorflow", says="'dtype'"),
    Known("the dtype of the output, as for the other losses", "drawn",
          "categorical_crossentropy binary_crossentropy sparse_categorical_crossentropy"),
    Known("operands of two dtypes are promoted; Keras takes the kernel's on JAX", "drawn",
          "conv depthwise_conv separable_conv conv_transpose", on="jax"),
]  # fmt: skip

# ---------------------------------------------------------------- losses, metrics, optimizers

_TOP = "Keras refuses k above the number of classes on PyTorch; ours counts all classes, as on JAX."
_SCALED = (
    "Probabilities that do not add up to 1: Keras on TensorFlow clips them before it divides by "
    "their sum, on JAX and PyTorch after; ours does the latter everywhere."
)
_HALF = "Keras on TensorFlow takes no float16 here; ours does."
_F_SCORE_WEIGHTS = {
    "weights scalar": "Keras refuses a number; ours weighs every sample with it.",
    "weights a column": "Keras multiplies the rows with each other, and fails; ours has a weight "
    "for each row.",
}
KNOWN_IN_TRAINING: dict[str, dict[str, str]] = {
    "optimizers.ScheduleFreeAdamW": {
        "ours [": "In Keras the variable is the average x of the paper and beta_1 has no effect; "
        "ours is the mixture of x and z, as the paper and Keras's documentation say.",
    },
    "metrics.SparseCategoricalCrossentropy": {
        "ignore_class": "Keras divides by the number of all samples, or fails to broadcast the "
        "weights; ours leaves the ignored ones out of the mean, as the loss does in both.",
    },
    "losses.SparseCategoricalCrossentropy": {
        "scaled_p": _SCALED,
        'Keras raises RuntimeError: ["output with shape': "With ignore_class on PyTorch Keras does "
        "not broadcast the weights to the mask; ours does, as Keras on JAX.",
    },
    "losses.Circle": {
        'Keras raises RuntimeError: ["output with shape': "On PyTorch Keras does not broadcast a "
        "single weight to the losses; ours does, as Keras on JAX.",
    },
    "losses.sparse_categorical_crossentropy": {
        "scaled_p": _SCALED,
        "ours is float16, Keras's float32": "Keras on JAX alone widens float16 predictions here.",
    },
    "losses.cosine_similarity": {
        "'float16'": "Keras gives NaN for a vector of zeros in float16, ours 0.",
    },
    "optimizers.LossScaleOptimizer": {
        "Keras raises UnexpectedTracerError": "Keras on JAX cannot apply it outside of jit.",
    },
    "metrics.top_k_categorical_accuracy": {"InTopKV2": _HALF},
    "metrics.sparse_top_k_categorical_accuracy": {"InTopKV2": _HALF},
    "losses.mean_squared_logarithmic_error": {
        "ours is float16, Keras's float32": "Keras takes logarithms of integer targets in float32; "
        "ours converts targets to the dtype of the predictions, as the other losses of both do.",
    },
    "metrics.F1Score": _F_SCORE_WEIGHTS,
    "metrics.FBetaScore": _F_SCORE_WEIGHTS,
    "metrics.TopKCategoricalAccuracy": {"'k': 5": _TOP},
    "metrics.SparseTopKCategoricalAccuracy": {"'k': 5": _TOP},
}
"""By loss, metric or optimizer: a part of what the test says of the call, and who is right."""

_FIRST_AXES = (
    "Keras lines weights up by the last axis, or cannot broadcast them; ours by the first axes, as "
    "documented: the weights of samples."
)
_FRACTIONS = "Keras cuts fractional weights off to integers; ours has a float32 matrix."
_WEIGHTS = r"\(\d+, \d+, .*weights (of samples|with zeros|a column)"  # for 3 axes or more
_IOU = r"^metrics\.(Binary|Mean|OneHot|OneHotMean)?IoU: "
KNOWN_IN_MODULES: dict[str, str] = {
    rf"^losses\..*{_WEIGHTS}": _FIRST_AXES,
    r"^losses\..*mean_with_sample_weight .*weights (scalar|of samples|with zeros|a column)": (
        "Keras divides by the weights before they are broadcast; ours by the weights of all values."
    ),
    rf"^metrics\..*{_WEIGHTS}.*Keras raises": _FIRST_AXES,
    # Means agree: for them the other shapes show it.
    r"^metrics\..*\(2, 3, 2, 4\).*weights (of samples|with zeros)": _FIRST_AXES,
    r"^metrics\..*ours is float32, Keras's bfloat16": "Ours accumulates in float32.",
    _IOU + r".*ours is float32, Keras's int(32|64)": _FRACTIONS,
    _IOU + r".*weights (scalar|of samples|a column|of each)": _FRACTIONS,
    _IOU + r".*weights with zeros.*Keras raises": _FIRST_AXES,
}
"""A pattern of what the test says of calls of several classes, and who is right."""
