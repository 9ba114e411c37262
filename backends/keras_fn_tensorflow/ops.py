"""The ops of the TensorFlow backend: the primitives, and composite ops that it has faster.

Called eagerly, an op of `tf.raw_ops` takes about half the time of its `tf.math` counterpart.
"""

from tensorflow import raw_ops as raw

from keras_fn_tensorflow.activations import (
    elu as elu,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    relu as relu,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    softmax as softmax,
    softplus as softplus,
    softsign as softsign,
)
from keras_fn_tensorflow.attention import fused_attention as fused_attention
from keras_fn_tensorflow.autodiff import (
    custom_gradient as custom_gradient,
    jvp as jvp,
    remat as remat,
    stop_gradient as stop_gradient,
)
from keras_fn_tensorflow.bitwise import (
    bitwise_and as bitwise_and,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_xor as bitwise_xor,
)
from keras_fn_tensorflow.complex import (
    conjugate as conjugate,
    view_as_complex as view_as_complex,
    view_as_real as view_as_real,
)
from keras_fn_tensorflow.control_flow import (
    fori_loop as fori_loop,
    scan as scan,
    switch as switch,
    while_loop as while_loop,
)
from keras_fn_tensorflow.convolution import conv as conv, conv_transpose as conv_transpose
from keras_fn_tensorflow.creation import (
    arange as arange,
    diag as diag,
    diagonal as diagonal,
    full as full,
)
from keras_fn_tensorflow.dense import dense as dense, dense_general as dense_general
from keras_fn_tensorflow.image import (
    resize_bilinear as resize_bilinear,
    sample_projective as sample_projective,
)
from keras_fn_tensorflow.indexing import (
    getitem as getitem,
    take as take,
    take_along_axis as take_along_axis,
)
from keras_fn_tensorflow.linalg import (
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
from keras_fn_tensorflow.logic import (
    equal as equal,
    greater as greater,
    greater_equal as greater_equal,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
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
from keras_fn_tensorflow.manipulation import (
    broadcast_to as broadcast_to,
    concatenate as concatenate,
    expand_dims as expand_dims,
    flip as flip,
    pad_nd as pad_nd,
    repeat as repeat,
    reshape as reshape,
    roll as roll,
    split as split,
    squeeze as squeeze,
    stack as stack,
    tile as tile,
    transpose as transpose,
    unstack as unstack,
)
from keras_fn_tensorflow.math import (
    absolute as absolute,
    add as add,
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan as arctan,
    arctan2 as arctan2,
    arctanh as arctanh,
    ceil as ceil,
    cos as cos,
    cosh as cosh,
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    exp as exp,
    exp2 as exp2,
    expm1 as expm1,
    floor as floor,
    floor_divide as floor_divide,
    gcd as gcd,
    i0 as i0,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    maximum as maximum,
    minimum as minimum,
    mod as mod,
    multiply as multiply,
    negative as negative,
    nextafter as nextafter,
    power as power,
    round as round,
    rsqrt as rsqrt,
    sigmoid as sigmoid,
    sign as sign,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    square as square,
    squared_difference as squared_difference,
    subtract as subtract,
    tan as tan,
    tanh as tanh,
    true_divide as true_divide,
)
from keras_fn_tensorflow.normalization import (
    all_reduce_mean as all_reduce_mean,
    batch_norm_train as batch_norm_train,
)
from keras_fn_tensorflow.pooling import average_pool as average_pool, max_pool as max_pool
from keras_fn_tensorflow.random import (
    random_binomial as random_binomial,
    random_gamma as random_gamma,
    random_normal as random_normal,
    random_randint as random_randint,
    random_uniform as random_uniform,
)
from keras_fn_tensorflow.reductions import (
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
from keras_fn_tensorflow.scatter import scatter_update as scatter_update
from keras_fn_tensorflow.segments import (
    segment_max as segment_max,
    segment_min as segment_min,
    segment_prod as segment_prod,
    segment_sum as segment_sum,
)
from keras_fn_tensorflow.signal import fft as fft, irfft as irfft, rfft as rfft
from keras_fn_tensorflow.slicing import (
    dynamic_slice as dynamic_slice,
    dynamic_slice_update as dynamic_slice_update,
)
from keras_fn_tensorflow.sorting_searching import (
    argsort as argsort,
    nonzero as nonzero,
    searchsorted as searchsorted,
    sort as sort,
    top_k as top_k,
)
from keras_fn_tensorflow.statistics import bincount as bincount
from keras_fn_tensorflow.tensors import cast as cast, view as view
from keras_fn_tensorflow.vectorization import vectorized_map as vectorized_map
