"""A NumPy backend of keras_fn, for inference: the example of docs/writing_a_backend.md."""

from keras_fn_numpy import ops as ops
from keras_fn_numpy.batching import (
    gather_rows as gather_rows,
    prepare_host_batch as prepare_host_batch,
    split_into_batches as split_into_batches,
)
from keras_fn_numpy.layer import LayerBase as LayerBase
from keras_fn_numpy.tensors import (
    cast as cast,
    convert_to_numpy as convert_to_numpy,
    convert_to_tensor as convert_to_tensor,
    dtype_name as dtype_name,
    from_numpy as from_numpy,
    is_tensor as is_tensor,
    is_traced as is_traced,
    shape as shape,
)
from keras_fn_numpy.transforms import (
    abstract_eval as abstract_eval,
    compile as compile,
    value_and_grad as value_and_grad,
)
from keras_fn_numpy.variables import (
    assign as assign,
    assign_add as assign_add,
    new_variable as new_variable,
    set_trainable as set_trainable,
    take_over as take_over,
)

name = "numpy"
