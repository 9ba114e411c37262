"""The public namespace `keras.ops.numpy`: ops with the names of NumPy, by a second name."""

from keras_fn.core import namespaces
from keras_fn.ops.arithmetic import (
    abs as abs,
    absolute as absolute,
    add as add,
    clip as clip,
    divide as divide,
    fabs as fabs,
    floor_divide as floor_divide,
    gcd as gcd,
    lcm as lcm,
    maximum as maximum,
    minimum as minimum,
    mod as mod,
    multiply as multiply,
    negative as negative,
    power as power,
    reciprocal as reciprocal,
    sign as sign,
    square as square,
    subtract as subtract,
    true_divide as true_divide,
)
from keras_fn.ops.bitwise import (
    bitwise_and as bitwise_and,
    bitwise_invert as bitwise_invert,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_xor as bitwise_xor,
    left_shift as left_shift,
    right_shift as right_shift,
)
from keras_fn.ops.calculus import (
    diff as diff,
    trapezoid as trapezoid,
)
from keras_fn.ops.complex import (
    angle as angle,
    conj as conj,
    conjugate as conjugate,
    imag as imag,
    isreal as isreal,
    real as real,
)
from keras_fn.ops.core import (
    array as array,
    copy as copy,
    ndim as ndim,
    size as size,
    view as view,
)
from keras_fn.ops.creation import (
    arange as arange,
    diag as diag,
    diagflat as diagflat,
    diagonal as diagonal,
    empty as empty,
    empty_like as empty_like,
    eye as eye,
    full as full,
    full_like as full_like,
    identity as identity,
    ones as ones,
    ones_like as ones_like,
    tri as tri,
    tril as tril,
    triu as triu,
    vander as vander,
    zeros as zeros,
    zeros_like as zeros_like,
)
from keras_fn.ops.indexing import (
    select as select,
    take as take,
    take_along_axis as take_along_axis,
    unravel_index as unravel_index,
)
from keras_fn.ops.joining_splitting import (
    append as append,
    array_split as array_split,
    concatenate as concatenate,
    dsplit as dsplit,
    dstack as dstack,
    hsplit as hsplit,
    hstack as hstack,
    split as split,
    stack as stack,
    vsplit as vsplit,
    vstack as vstack,
)
from keras_fn.ops.linalg.norms import (
    slogdet as slogdet,
    trace as trace,
)
from keras_fn.ops.linalg.products import (
    cross as cross,
    dot as dot,
    einsum as einsum,
    inner as inner,
    kron as kron,
    matmul as matmul,
    outer as outer,
    tensordot as tensordot,
    vdot as vdot,
)
from keras_fn.ops.logic import (
    all as all,
    allclose as allclose,
    any as any,
    equal as equal,
    greater as greater,
    greater_equal as greater_equal,
    isclose as isclose,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    isneginf as isneginf,
    isposinf as isposinf,
    less as less,
    less_equal as less_equal,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    not_equal as not_equal,
    signbit as signbit,
    where as where,
)
from keras_fn.ops.manipulation import (
    broadcast_to as broadcast_to,
    expand_dims as expand_dims,
    moveaxis as moveaxis,
    pad as pad,
    ravel as ravel,
    repeat as repeat,
    reshape as reshape,
    squeeze as squeeze,
    swapaxes as swapaxes,
    tile as tile,
    transpose as transpose,
)
from keras_fn.ops.math import (
    cbrt as cbrt,
    ceil as ceil,
    divide_no_nan as divide_no_nan,
    exp as exp,
    exp2 as exp2,
    expm1 as expm1,
    floor as floor,
    fmax as fmax,
    fmin as fmin,
    fmod as fmod,
    heaviside as heaviside,
    hypot as hypot,
    i0 as i0,
    ldexp as ldexp,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logaddexp as logaddexp,
    logaddexp2 as logaddexp2,
    nan_to_num as nan_to_num,
    nextafter as nextafter,
    round as round,
    sinc as sinc,
    sqrt as sqrt,
    trunc as trunc,
)
from keras_fn.ops.nan_reductions import (
    nanargmax as nanargmax,
    nanargmin as nanargmin,
    nancumprod as nancumprod,
    nancumsum as nancumsum,
    nanmax as nanmax,
    nanmean as nanmean,
    nanmin as nanmin,
    nanprod as nanprod,
    nanstd as nanstd,
    nansum as nansum,
    nanvar as nanvar,
)
from keras_fn.ops.numerical_ranges import (
    geomspace as geomspace,
    linspace as linspace,
    logspace as logspace,
    meshgrid as meshgrid,
)
from keras_fn.ops.quantiles import (
    median as median,
    nanmedian as nanmedian,
    nanpercentile as nanpercentile,
    nanquantile as nanquantile,
    percentile as percentile,
    quantile as quantile,
)
from keras_fn.ops.rearranging import (
    flip as flip,
    fliplr as fliplr,
    flipud as flipud,
    roll as roll,
    rot90 as rot90,
)
from keras_fn.ops.reductions import (
    amax as amax,
    amin as amin,
    argmax as argmax,
    argmin as argmin,
    average as average,
    count_nonzero as count_nonzero,
    cumprod as cumprod,
    cumsum as cumsum,
    max as max,
    mean as mean,
    min as min,
    prod as prod,
    ptp as ptp,
    std as std,
    sum as sum,
    var as var,
)
from keras_fn.ops.slicing import getitem as get_item
from keras_fn.ops.sorting_searching import (
    argpartition as argpartition,
    argsort as argsort,
    digitize as digitize,
    isin as isin,
    nonzero as nonzero,
    searchsorted as searchsorted,
    sort as sort,
    unique as unique,
)
from keras_fn.ops.statistics import (
    bincount as bincount,
    corrcoef as corrcoef,
    correlate as correlate,
    histogram as histogram,
)
from keras_fn.ops.trigonometric import (
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan as arctan,
    arctan2 as arctan2,
    arctanh as arctanh,
    cos as cos,
    cosh as cosh,
    deg2rad as deg2rad,
    rad2deg as rad2deg,
    sin as sin,
    sinh as sinh,
    tan as tan,
    tanh as tanh,
)
from keras_fn.ops.vectorization import (
    vectorize as vectorize,
)
from keras_fn.ops.window_functions import (
    bartlett as bartlett,
    blackman as blackman,
    hamming as hamming,
    hanning as hanning,
    kaiser as kaiser,
)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
