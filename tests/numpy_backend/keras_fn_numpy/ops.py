"""The primitive ops of the NumPy backend. Functions that NumPy has are imported from it."""

from numpy import (
    absolute as absolute,
    add as add,
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan as arctan,
    arctan2 as arctan2,
    arctanh as arctanh,
    bitwise_and as bitwise_and,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_xor as bitwise_xor,
    broadcast_to as broadcast_to,
    ceil as ceil,
    cos as cos,
    cosh as cosh,
    equal as equal,
    exp as exp,
    exp2 as exp2,
    expand_dims as expand_dims,
    expm1 as expm1,
    floor as floor,
    floor_divide as floor_divide,
    gcd as gcd,
    greater as greater,
    greater_equal as greater_equal,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    left_shift as bitwise_left_shift,
    less as less,
    less_equal as less_equal,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    maximum as maximum,
    minimum as minimum,
    mod as mod,
    multiply as multiply,
    negative as negative,
    nextafter as nextafter,
    not_equal as not_equal,
    power as power,
    right_shift as bitwise_right_shift,
    sign as sign,
    sin as sin,
    sinh as sinh,
    split as split,
    sqrt as sqrt,
    stack as stack,
    subtract as subtract,
    tan as tan,
    tanh as tanh,
    transpose as transpose,
    true_divide as true_divide,
)

from keras_fn_numpy.activations import softmax as softmax
from keras_fn_numpy.autodiff import (
    custom_gradient as custom_gradient,
    jvp as jvp,
    remat as remat,
    stop_gradient as stop_gradient,
)
from keras_fn_numpy.complex import view_as_complex as view_as_complex, view_as_real as view_as_real
from keras_fn_numpy.control_flow import scan as scan
from keras_fn_numpy.convolution import conv as conv, conv_transpose as conv_transpose
from keras_fn_numpy.creation import arange as arange, full as full
from keras_fn_numpy.indexing import (
    getitem as getitem,
    take as take,
    take_along_axis as take_along_axis,
)
from keras_fn_numpy.linalg import (
    cholesky as cholesky,
    det as det,
    eig as eig,
    eigh as eigh,
    einsum as einsum,
    inv as inv,
    lu_factor as lu_factor,
    matmul as matmul,
    pinv as pinv,
    qr as qr,
    slogdet as slogdet,
    solve as solve,
    solve_triangular as solve_triangular,
    svd as svd,
    tensordot as tensordot,
)
from keras_fn_numpy.logic import where as where
from keras_fn_numpy.manipulation import (
    concatenate as concatenate,
    flip as flip,
    pad_nd as pad_nd,
    repeat as repeat,
    reshape as reshape,
    squeeze as squeeze,
    tile as tile,
    unstack as unstack,
)
from keras_fn_numpy.math import (
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    i0 as i0,
    round as round,
    rsqrt as rsqrt,
    sigmoid as sigmoid,
)
from keras_fn_numpy.pooling import average_pool as average_pool, max_pool as max_pool
from keras_fn_numpy.random import (
    random_normal as random_normal,
    random_randint as random_randint,
    random_uniform as random_uniform,
)
from keras_fn_numpy.reductions import (
    all as all,
    any as any,
    argmax as argmax,
    argmin as argmin,
    cumprod as cumprod,
    cumsum as cumsum,
    max as max,
    mean as mean,
    min as min,
    prod as prod,
    sum as sum,
)
from keras_fn_numpy.scatter import scatter_update as scatter_update
from keras_fn_numpy.signal import fft as fft, irfft as irfft, rfft as rfft
from keras_fn_numpy.sorting_searching import argsort as argsort, sort as sort, top_k as top_k
from keras_fn_numpy.tensors import cast as cast, view as view
from keras_fn_numpy.vectorization import vectorized_map as vectorized_map
