"""The ops of the PyTorch backend: the primitives, and composite ops that PyTorch has faster."""

from torch import (
    acos as arccos,
    acosh as arccosh,
    add as add,
    asin as arcsin,
    asinh as arcsinh,
    atan as arctan,
    atanh as arctanh,
    bitwise_and as bitwise_and,
    bitwise_or as bitwise_or,
    bitwise_xor as bitwise_xor,
    ceil as ceil,
    clone as copy,
    conj as conjugate,
    cos as cos,
    cosh as cosh,
    detach as stop_gradient,
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    exp as exp,
    exp2 as exp2,
    expm1 as expm1,
    floor as floor,
    i0 as i0,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logical_not as logical_not,
    moveaxis as moveaxis,
    mul as multiply,
    nan_to_num as nan_to_num,
    real as real,
    relu as relu,
    rsqrt as rsqrt,
    sigmoid as sigmoid,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    stack as stack,
    sub as subtract,
    swapaxes as swapaxes,
    tan as tan,
    tanh as tanh,
    true_divide as true_divide,
)

from keras_fn_torch.activations import (
    elu as elu,
    gelu as gelu,
    glu as glu,
    hard_sigmoid as hard_sigmoid,
    hard_silu as hard_silu,
    leaky_relu as leaky_relu,
    log_sigmoid as log_sigmoid,
    log_softmax as log_softmax,
    selu as selu,
    silu as silu,
    softmax as softmax,
    softplus as softplus,
)
from keras_fn_torch.attention import fused_attention as fused_attention
from keras_fn_torch.autodiff import custom_gradient as custom_gradient, jvp as jvp, remat as remat
from keras_fn_torch.bitwise import (
    bitwise_left_shift as bitwise_left_shift,
    bitwise_not as bitwise_not,
    bitwise_right_shift as bitwise_right_shift,
)
from keras_fn_torch.complex import view_as_complex as view_as_complex, view_as_real as view_as_real
from keras_fn_torch.control_flow import scan as scan
from keras_fn_torch.convolution import (
    conv as conv,
    conv_transpose as conv_transpose,
    conv_with_bias as conv_with_bias,
)
from keras_fn_torch.creation import (
    arange as arange,
    diag as diag,
    diagonal as diagonal,
    full as full,
    tril as tril,
    triu as triu,
)
from keras_fn_torch.ctc import ctc_loss as ctc_loss
from keras_fn_torch.dense import dense as dense, dense_general as dense_general
from keras_fn_torch.image import (
    resize_bilinear as resize_bilinear,
    sample_projective as sample_projective,
)
from keras_fn_torch.indexing import (
    getitem as getitem,
    take as take,
    take_along_axis as take_along_axis,
)
from keras_fn_torch.linalg import (
    cholesky as cholesky,
    det as det,
    eig as eig,
    eigh as eigh,
    einsum as einsum,
    inner as inner,
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
from keras_fn_torch.logic import (
    equal as equal,
    greater as greater,
    greater_equal as greater_equal,
    less as less,
    less_equal as less_equal,
    logical_and as logical_and,
    logical_or as logical_or,
    logical_xor as logical_xor,
    not_equal as not_equal,
    signbit as signbit,
    where as where,
)
from keras_fn_torch.losses import (
    binary_crossentropy as binary_crossentropy,
    categorical_crossentropy as categorical_crossentropy,
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from keras_fn_torch.manipulation import (
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
    tile as tile,
    transpose as transpose,
    unstack as unstack,
)
from keras_fn_torch.math import (
    absolute as absolute,
    arctan2 as arctan2,
    clip as clip,
    floor_divide as floor_divide,
    fmax as fmax,
    fmin as fmin,
    fmod as fmod,
    gcd as gcd,
    hypot as hypot,
    logaddexp as logaddexp,
    logaddexp2 as logaddexp2,
    maximum as maximum,
    minimum as minimum,
    mod as mod,
    negative as negative,
    nextafter as nextafter,
    power as power,
    round as round,
    sign as sign,
    square as square,
    trunc as trunc,
)
from keras_fn_torch.normalization import (
    all_reduce_mean as all_reduce_mean,
    batch_norm_train as batch_norm_train,
    batch_normalization as batch_normalization,
    layer_normalization as layer_normalization,
    rms_normalization as rms_normalization,
)
from keras_fn_torch.pooling import average_pool as average_pool, max_pool as max_pool
from keras_fn_torch.random import (
    random_binomial as random_binomial,
    random_gamma as random_gamma,
    random_normal as random_normal,
    random_randint as random_randint,
    random_uniform as random_uniform,
)
from keras_fn_torch.reductions import (
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
from keras_fn_torch.rnn import gru as gru, lstm as lstm
from keras_fn_torch.scatter import scatter_update as scatter_update
from keras_fn_torch.segments import (
    segment_max as segment_max,
    segment_min as segment_min,
    segment_prod as segment_prod,
    segment_sum as segment_sum,
)
from keras_fn_torch.signal import (
    extract_sequences as extract_sequences,
    fft as fft,
    irfft as irfft,
    rfft as rfft,
)
from keras_fn_torch.slicing import (
    dynamic_slice as dynamic_slice,
    dynamic_slice_update as dynamic_slice_update,
)
from keras_fn_torch.sorting_searching import (
    argsort as argsort,
    nonzero as nonzero,
    searchsorted as searchsorted,
    sort as sort,
    top_k as top_k,
)
from keras_fn_torch.tensors import cast as cast, view as view
from keras_fn_torch.vectorization import vectorized_map as vectorized_map
