"""Serialization of ops in model files, in the form of Keras.

keras_fn has one node type for all ops (`OpNode`), and a node has all arguments of a call. Keras has
a class for each op: some arguments of a call are arguments of its constructor and are in the
config, the others are in the node. A table of these classes is all that differs between ops.
"""

from functools import cache
from typing import Any, NamedTuple

from keras_fn._lazy import LazyModule
from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import to_snake_case
from keras_fn.core.operators import OPS
from keras_fn.errors import SpecError
from keras_fn.ops._op import OpNode

MODULE = "keras.src.ops."
_OTHER_MODULES = {"quantizers": "keras.src.quantizers.quantizers"}  # of ops outside keras.ops
_DEFINED_IN = {  # these define an op when they are imported
    "fake_quant_with_min_max_vars": LazyModule("keras_fn.quantizers.fake_quantization")
}
_WITHOUT_NAME = {"FakeQuantWithMinMaxVars"}  # their constructors in Keras do not take one

# For each module in files: the classes of Keras with the arguments in their configs.
_CLASSES = {
    "core": """
        Cast dtype; ConvertToTensor dtype sparse ragged; SaturateCast dtype; Scatter shape;
        ScatterUpdate reduction; Slice shape; SliceUpdate; StopGradient; Unstack num axis
    """,
    "einops": """
        Rearrange
    """,
    "image": """
        AffineTransform interpolation fill_mode fill_value data_format; CropImages top_cropping
        left_cropping bottom_cropping right_cropping target_height target_width data_format;
        ElasticTransform alpha sigma interpolation fill_mode fill_value seed data_format;
        ExtractPatches size strides dilation_rate padding data_format; GaussianBlur kernel_size
        sigma data_format; HSVToRGB data_format; MapCoordinates order fill_mode fill_value;
        PadImages top_padding left_padding bottom_padding right_padding target_height target_width
        data_format; PerspectiveTransform interpolation fill_value data_format; RGBToGrayscale
        data_format; RGBToHSV data_format; Resize size interpolation antialias
        crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format; SSIM max_val
        filter_size filter_sigma k1 k2 data_format; ScaleAndTranslate spatial_dims method
        antialias; SobelEdges data_format
    """,
    "linalg": """
        Cholesky upper; CholeskyInverse upper; Det; Eig; Eigh; Inv; Lstsq rcond; LuFactor;
        MatrixRank tol; Norm ord axis keepdims; Pinv rcond; Qr mode; SVD full_matrices compute_uv;
        Solve; SolveTriangular lower
    """,
    "math": """
        CDist; Erf; Erfc; Erfinv; ExtractSequences sequence_length sequence_stride; FFT; FFT2;
        IFFT2; IRFFT fft_length; ISTFT sequence_length sequence_stride fft_length length window
        center; InTopK k; Logdet; Logsumexp axis keepdims; RFFT fft_length; Rsqrt; STFT
        sequence_length sequence_stride fft_length window center; SegmentMax num_segments sorted;
        SegmentMin num_segments sorted; SegmentProd num_segments sorted; SegmentSum num_segments
        sorted; TopK k sorted; ViewAsComplex; ViewAsReal
    """,
    "nn": """
        AdaptiveAveragePool output_size data_format; AdaptiveMaxPool output_size data_format;
        AveragePool pool_size strides padding data_format; BatchNorm axis epsilon;
        BinaryCrossentropy from_logits; CTCDecode strategy beam_width top_paths merge_repeated
        mask_index; CTCLoss mask_index; CategoricalCrossentropy from_logits axis; Celu alpha; Conv
        strides padding data_format dilation_rate; ConvTranspose strides padding output_padding
        data_format dilation_rate; DepthToSpace block_size data_format; DepthwiseConv strides
        padding data_format dilation_rate; DotProductAttention is_causal flash_attention
        attn_logits_soft_cap; Elu alpha; Fold output_size kernel_size dilation padding stride;
        Gelu approximate; Glu axis; HardShrink threshold; HardSigmoid; HardSilu; HardTanh;
        LayerNorm axis epsilon; LeakyRelu negative_slope; LogSigmoid; LogSoftmax axis; MaxPool
        pool_size strides padding data_format; Moments axes keepdims synchronized; MultiHot
        num_classes axis dtype sparse; Normalize axis order epsilon; OneHot num_classes axis dtype
        sparse; PSNR max_val; Polar; RMSNorm axis epsilon; Relu; Relu6; Selu; SeparableConv
        strides padding data_format dilation_rate; Sigmoid; Silu; SoftShrink threshold; Softmax
        axis; Softplus; Softsign; SpaceToDepth block_size data_format;
        SparseCategoricalCrossentropy from_logits axis; SparsePlus; SparseSigmoid; Sparsemax axis;
        Squareplus b; TanhShrink; Threshold threshold default_value; Unfold kernel_size dilation
        padding stride
    """,
    "numpy": """
        Absolute; Add; All axis keepdims; AllClose rtol atol equal_nan; Amax axis keepdims; Amin
        axis keepdims; Angle; Any axis keepdims; Append axis; Arange dtype; Arccos; Arccosh;
        Arcsin; Arcsinh; Arctan; Arctan2; Arctanh; Argmax axis keepdims; Argmin axis keepdims;
        Argpartition kth axis; Argsort axis; ArraySplit indices_or_sections axis; Average axis;
        Bincount weights minlength sparse; BitwiseAnd; BitwiseInvert; BitwiseLeftShift;
        BitwiseNot; BitwiseOr; BitwiseRightShift; BitwiseXor; BroadcastTo shape; Cbrt; Ceil; Clip
        x_min x_max; Concatenate axis; Conjugate; Copy; Corrcoef; Correlate mode; Cos; Cosh;
        CountNonzero axis; Cross axisa axisb axisc axis; Cumprod axis dtype; Cumsum axis dtype;
        Deg2rad; Diag k; Diagflat k; Diagonal offset axis1 axis2; Diff n axis; Digitize; Divide;
        DivideNoNan; Dot; Dsplit indices_or_sections; Dstack; Einsum subscripts; EmptyLike dtype;
        Equal; Exp; Exp2; ExpandDims axis; Expm1; Fabs; Flip axis; Fliplr; Flipud; Floor;
        FloorDivide; Fmax; Fmin; Fmod; Full shape dtype; FullLike dtype; Gcd; Geomspace num
        endpoint dtype axis; GetItem; Greater; GreaterEqual; Heaviside; Histogram bins range;
        Hsplit indices_or_sections; Hstack; Hypot; I0; Imag; Inner; IsIn assume_unique invert;
        Isclose equal_nan; Isfinite; Isinf; Isnan; Isneginf; Isposinf; Isreal; Kron; Lcm; Ldexp;
        LeftShift; Less; LessEqual; Linspace num endpoint retstep dtype axis; Log; Log10; Log1p;
        Log2; Logaddexp; Logaddexp2; LogicalAnd; LogicalNot; LogicalOr; LogicalXor; Logspace num
        endpoint base dtype axis; Matmul; Max axis keepdims initial; Maximum; Mean axis keepdims;
        Median axis keepdims; Meshgrid indexing; Min axis keepdims initial; Minimum; Mod; Moveaxis
        source destination; Multiply; NanToNum nan posinf neginf; Nanargmax axis keepdims;
        Nanargmin axis keepdims; Nancumprod axis dtype; Nancumsum axis dtype; Nanmax axis
        keepdims; Nanmean axis keepdims; Nanmedian axis keepdims; Nanmin axis keepdims;
        Nanpercentile axis method keepdims; Nanprod axis keepdims; Nanquantile axis method
        keepdims; Nanstd axis keepdims; Nansum axis keepdims; Nanvar axis keepdims; Negative;
        Nextafter; Nonzero; NotEqual; OnesLike dtype; Outer; Pad pad_width mode; Percentile axis
        method keepdims; Power; Prod axis keepdims dtype; Ptp axis keepdims; Quantile axis method
        keepdims; Rad2deg; Ravel; Real; Reciprocal; Repeat repeats axis; Reshape newshape;
        RightShift; Roll shift axis; Rot90 k axes; Round decimals; SearchSorted side; Select;
        Sign; Signbit; Sin; Sinc; Sinh; Slogdet; Sort axis; Split indices_or_sections axis; Sqrt;
        Square; Squeeze axis; Stack axis; Std axis keepdims; Subtract; Sum axis keepdims; Swapaxes
        axis1 axis2; Take axis; TakeAlongAxis axis; Tan; Tanh; Tensordot axes; Tile repeats; Trace
        offset axis1 axis2; Transpose axes; Trapezoid x dx axis; Tril k; Triu k; TrueDivide;
        Trunc; Unique sorted return_index return_inverse return_counts axis size fill_value;
        UnravelIndex shape; Vander N increasing; Var axis keepdims; Vdot; View dtype; Vsplit
        indices_or_sections; Vstack; Where; ZerosLike dtype
    """,
    "quantizers": """
        FakeQuantWithMinMaxVars num_bits narrow_range axis
    """,
}

# Ops whose name is not the class name in snake case.
_NAMES = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "CDist": "cdist",
    "IsIn": "isin",
    "GetItem": "getitem",
    "LayerNorm": "layer_normalization",
    "RMSNorm": "rms_normalization",
    "SearchSorted": "searchsorted",
}

_ALIASES = {"abs": "Absolute", "hard_swish": "HardSilu", "swish": "Silu"}


class KerasOp(NamedTuple):
    """The form of an op in files."""

    module: str
    class_name: str
    options: tuple[str, ...]
    function: str


@cache
def keras_ops() -> dict[str, KerasOp]:
    """Returns the rows of the table, by class name."""
    rows = {}
    for module, text in _CLASSES.items():
        for item in text.split(";"):
            class_name, *options = item.split()
            function = _NAMES.get(class_name, to_snake_case(class_name))
            path = _OTHER_MODULES.get(module, MODULE + module)
            rows[class_name] = KerasOp(path, class_name, tuple(options), function)
    return rows


@cache
def _by_function() -> dict[str, KerasOp]:
    rows = keras_ops()
    found = {row.function: row for row in rows.values()}
    return {**found, **{name: rows[class_name] for name, class_name in _ALIASES.items()}}


# ---------------------------------------------------------------- writing


def written_call(
    operation: OpNode, args: tuple, kwargs: dict[str, Any]
) -> tuple[dict[str, Any], tuple, dict[str, Any]]:
    """Returns the entry of an op without its nodes, and the arguments of its node.

    Args:
        operation: The op.
        args: The positional arguments of its call.
        kwargs: The keyword arguments of its call.

    Raises:
        ValueError: Keras does not have a class for the op, or an argument cannot be serialized.
    """
    row = _by_function().get(operation.op.__name__)
    if row is None:
        raise _unwritable(operation, "an op without a class in Keras")
    bound = operation.op.op.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    config: dict[str, Any] = {} if row.class_name in _WITHOUT_NAME else {"name": operation.name}
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in bound.signature.parameters.values():
        value = bound.arguments[parameter.name]
        if parameter.name in row.options:
            config[parameter.name] = _option(operation, parameter.name, value)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            named = dict(value)
        else:
            positional.append(value)
    entry = {
        "module": row.module,
        "class_name": row.class_name,
        "config": config,
        "registered_name": row.class_name,
    }
    return entry, tuple(positional), named


def _option(operation: OpNode, name: str, value: Any) -> Any:
    """Returns an argument as a plain value."""
    if name == "dtype" and value is not None:
        return standardize_dtype(value)
    leaves = tree.flatten(value)
    if any(isinstance(x, KerasTensor) for x in leaves):
        raise _unwritable(
            operation, f"a tensor as the argument {name}, which must be a value in a file"
        )
    plain = [x.item() if hasattr(x, "item") and not getattr(x, "shape", ()) else x for x in leaves]
    if all(x is None or isinstance(x, (bool, int, float, str)) for x in plain):
        return tree.unflatten(value, plain) if tree.is_nested(value) else plain[0]
    if value is not None and hasattr(value, "tolist"):
        return value.tolist()
    raise _unwritable(operation, f"{name}={value!r}, which is not a plain value")


def _unwritable(operation: OpNode, received: str) -> SpecError:
    return SpecError(
        f"Saving the op {operation.name!r} (ops.{operation.op.__name__})",
        expected="an op that model files can hold",
        received=received[:300],
        fix="move this computation into the call of a custom layer",
    )


# ---------------------------------------------------------------- reading


def is_op(entry: dict[str, Any]) -> bool:
    """Returns whether an entry of a graph is an op, not a layer."""
    module, class_name = entry.get("module"), entry.get("class_name")
    if isinstance(module, str):
        return module.startswith(MODULE) or module in _OTHER_MODULES.values()
    # Legacy files have no modules. Layers of the same name (Add, Softmax) have a dtype.
    config = entry.get("config")
    return class_name in keras_ops() and isinstance(config, dict) and "dtype" not in config


def read_op(entry: dict[str, Any]) -> tuple[OpNode, dict[str, Any]]:
    """Returns the op of an entry, and the arguments in its config.

    Args:
        entry: The entry of a graph.

    Raises:
        ValueError: There is no such op, or the config has unknown keys.
    """
    class_name, config = entry.get("class_name"), entry.get("config")
    row = keras_ops().get(class_name) if isinstance(class_name, str) else None
    source = f"The op {str(class_name)[:80]!r}"
    if row is not None and row.function in _DEFINED_IN:
        getattr(_DEFINED_IN[row.function], row.function)
    if row is None or row.function not in OPS or entry.get("module", row.module) != row.module:
        raise SpecError(
            source,
            expected="an op of keras.ops, under the module that has it",
            received=f"{str(class_name)[:80]!r} of module {str(entry.get('module'))[:80]!r}",
            fix="the file is damaged, or was written by a newer Keras",
        )
    if not isinstance(config, dict):
        raise SpecError(
            source,
            expected="a config that is a dict",
            received=f"{type(config).__name__}",
            fix="the file is damaged",
        )
    unknown = config.keys() - {"name", *row.options}
    if unknown:
        raise SpecError(
            source,
            expected=f"the keys name, {', '.join(row.options)}",
            received=f"{', '.join(sorted(map(str, unknown)))}"[:200],
            fix="the file is damaged",
        )
    options = {key: _to_tuples(value) for key, value in config.items() if key != "name"}
    operation = OpNode(OPS[row.function], name=config.get("name", entry.get("name")))
    for name in options.keys() - operation.op.op.signature.parameters.keys():
        if options.pop(name):
            raise _call_error(operation, f"{name}, which is not supported")
    return operation, options


def full_call(
    operation: OpNode, options: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Returns the arguments of a call of an op, from those in its node and those in its config.

    Args:
        operation: The op.
        options: The arguments in the config.
        args: The positional arguments in the node.
        kwargs: The keyword arguments in the node.

    Raises:
        ValueError: There are too many or too few arguments.
    """
    remaining, named = list(args), {**kwargs, **options}
    positional: list[Any] = []
    for parameter in operation.op.op.signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional, remaining = positional + remaining, []
        elif parameter.name in options and (remaining or parameter.default is parameter.empty):
            positional.append(named.pop(parameter.name))
        elif not remaining:
            break
        else:
            positional.append(remaining.pop(0))
    if operation.op.__name__ == "getitem":  # JSON has no tuples, and a list is an index array
        positional[1:] = map(_to_tuples, positional[1:])
    named = {key: value for key, value in named.items() if value is not None or key in options}
    try:
        operation.op.op.signature.bind(*positional, *remaining, **named)
    except TypeError as error:
        raise _call_error(operation, str(error)) from None
    return positional, named


def _call_error(operation: OpNode, received: str) -> SpecError:
    return SpecError(
        f"The op {operation.name!r} (ops.{operation.op.__name__})",
        expected="a call with the arguments of the op",
        received=received,
        fix="the file is damaged",
    )


def _to_tuples(value: Any) -> Any:
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
