"""The public namespace `keras.ops.nn`: ops of neural networks, by a second name."""

from keras_fn.core import namespaces
from keras_fn.ops.activations import (
    celu as celu,
    elu as elu,
    gelu as gelu,
    glu as glu,
    hard_shrink as hard_shrink,
    hard_sigmoid as hard_sigmoid,
    hard_silu as hard_silu,
    hard_swish as hard_swish,
    hard_tanh as hard_tanh,
    leaky_relu as leaky_relu,
    log_sigmoid as log_sigmoid,
    log_softmax as log_softmax,
    relu as relu,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    soft_shrink as soft_shrink,
    softmax as softmax,
    softplus as softplus,
    softsign as softsign,
    sparse_plus as sparse_plus,
    sparse_sigmoid as sparse_sigmoid,
    sparsemax as sparsemax,
    squareplus as squareplus,
    swish as swish,
    tanh_shrink as tanh_shrink,
    threshold as threshold,
)
from keras_fn.ops.attention import (
    dot_product_attention as dot_product_attention,
)
from keras_fn.ops.complex import (
    polar as polar,
)
from keras_fn.ops.convolution import (
    conv as conv,
    conv_transpose as conv_transpose,
    depthwise_conv as depthwise_conv,
    separable_conv as separable_conv,
)
from keras_fn.ops.ctc import (
    ctc_decode as ctc_decode,
    ctc_loss as ctc_loss,
)
from keras_fn.ops.encoding import (
    multi_hot as multi_hot,
    one_hot as one_hot,
)
from keras_fn.ops.losses import (
    binary_crossentropy as binary_crossentropy,
    categorical_crossentropy as categorical_crossentropy,
    psnr as psnr,
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from keras_fn.ops.math import (
    sigmoid as sigmoid,
)
from keras_fn.ops.normalization import (
    batch_normalization as batch_normalization,
    layer_normalization as layer_normalization,
    normalize as normalize,
    rms_normalization as rms_normalization,
)
from keras_fn.ops.pooling import (
    adaptive_average_pool as adaptive_average_pool,
    adaptive_max_pool as adaptive_max_pool,
    average_pool as average_pool,
    max_pool as max_pool,
)
from keras_fn.ops.reductions import (
    moments as moments,
)
from keras_fn.ops.unfold import (
    depth_to_space as depth_to_space,
    fold as fold,
    space_to_depth as space_to_depth,
    unfold as unfold,
)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
