"""The ops of the JAX backend: the primitives, and composite ops that JAX has in a faster form."""

from jax.lax import rsqrt as rsqrt, stop_gradient as stop_gradient
from jax.nn import sigmoid as sigmoid
from jax.numpy import (
    add as add,
    append as append,
    arange as arange,
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan as arctan,
    arctanh as arctanh,
    bitwise_and as bitwise_and,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_xor as bitwise_xor,
    broadcast_to as broadcast_to,
    cbrt as cbrt,
    concatenate as concatenate,
    conjugate as conjugate,
    cos as cos,
    cosh as cosh,
    cross as cross,
    diag as diag,
    diagflat as diagflat,
    diagonal as diagonal,
    dstack as dstack,
    equal as equal,
    exp as exp,
    exp2 as exp2,
    expand_dims as expand_dims,
    expm1 as expm1,
    flip as flip,
    floor_divide as floor_divide,
    fmax as fmax,
    fmin as fmin,
    fmod as fmod,
    gcd as gcd,
    greater as greater,
    greater_equal as greater_equal,
    hstack as hstack,
    hypot as hypot,
    i0 as i0,
    imag as imag,
    inner as inner,
    isclose as isclose,
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
    matmul as matmul,
    maximum as maximum,
    minimum as minimum,
    mod as mod,
    multiply as multiply,
    negative as negative,
    not_equal as not_equal,
    real as real,
    right_shift as bitwise_right_shift,
    roll as roll,
    signbit as signbit,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    squeeze as squeeze,
    subtract as subtract,
    take_along_axis as take_along_axis,
    tan as tan,
    tanh as tanh,
    tensordot as tensordot,
    transpose as transpose,
    tril as tril,
    triu as triu,
    true_divide as true_divide,
    trunc as trunc,
    unravel_index as unravel_index,
    vdot as vdot,
    vstack as vstack,
)
from jax.scipy.special import erf as erf, erfc as erfc, erfinv as erfinv

from keras_fn_jax.activations import (
    elu as elu,
    gelu as gelu,
    log_softmax as log_softmax,
    relu as relu,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    softmax as softmax,
    softplus as softplus,
)
from keras_fn_jax.attention import fused_attention as fused_attention
from keras_fn_jax.autodiff import custom_gradient as custom_gradient, jvp as jvp, remat as remat
from keras_fn_jax.complex import view_as_complex as view_as_complex, view_as_real as view_as_real
from keras_fn_jax.control_flow import (
    fori_loop as fori_loop,
    scan as scan,
    switch as switch,
    while_loop as while_loop,
)
from keras_fn_jax.convolution import conv as conv, conv_transpose as conv_transpose
from keras_fn_jax.creation import full as full
from keras_fn_jax.dense import int8_einsum as int8_einsum, int8_matmul as int8_matmul
from keras_fn_jax.indexing import getitem as getitem, take as take
from keras_fn_jax.linalg import (
    cholesky as cholesky,
    det as det,
    eig as eig,
    eigh as eigh,
    einsum as einsum,
    inv as inv,
    lu_factor as lu_factor,
    pinv as pinv,
    qr as qr,
    slogdet as slogdet,
    solve as solve,
    solve_triangular as solve_triangular,
    svd as svd,
)
from keras_fn_jax.logic import where as where
from keras_fn_jax.manipulation import (
    pad_nd as pad_nd,
    repeat as repeat,
    reshape as reshape,
    split as split,
    stack as stack,
    tile as tile,
    unstack as unstack,
)
from keras_fn_jax.math import (
    absolute as absolute,
    arctan2 as arctan2,
    ceil as ceil,
    floor as floor,
    logaddexp as logaddexp,
    logaddexp2 as logaddexp2,
    nextafter as nextafter,
    power as power,
    round as round,
    sign as sign,
)
from keras_fn_jax.pooling import average_pool as average_pool, max_pool as max_pool
from keras_fn_jax.random import (
    random_binomial as random_binomial,
    random_gamma as random_gamma,
    random_normal as random_normal,
    random_randint as random_randint,
    random_uniform as random_uniform,
)
from keras_fn_jax.reductions import (
    all as all,
    any as any,
    argmax as argmax,
    argmin as argmin,
    cumprod as cumprod,
    cumsum as cumsum,
    logsumexp as logsumexp,
    max as max,
    mean as mean,
    min as min,
    prod as prod,
    sum as sum,
)
from keras_fn_jax.rnn import gru as gru, lstm as lstm
from keras_fn_jax.scatter import scatter_update as scatter_update
from keras_fn_jax.segments import (
    segment_max as segment_max,
    segment_min as segment_min,
    segment_prod as segment_prod,
    segment_sum as segment_sum,
)
from keras_fn_jax.signal import fft as fft, irfft as irfft, rfft as rfft
from keras_fn_jax.slicing import (
    dynamic_slice as dynamic_slice,
    dynamic_slice_update as dynamic_slice_update,
)
from keras_fn_jax.sorting_searching import (
    argsort as argsort,
    nonzero as nonzero,
    searchsorted as searchsorted,
    sort as sort,
    top_k as top_k,
)
from keras_fn_jax.tensors import cast as cast, view as view
from keras_fn_jax.vectorization import vectorized_map as vectorized_map
