"""The JAX backend of keras_fn."""

from keras_fn_jax import ops as ops
from keras_fn_jax.batching import (
    batch_indices as batch_indices,
    batch_rows as batch_rows,
    gather_rows as gather_rows,
)
from keras_fn_jax.device import device_scope as device_scope
from keras_fn_jax.layer import LayerBase as LayerBase
from keras_fn_jax.multi_step import compile_many as compile_many
from keras_fn_jax.op_jit import compile_op as compile_op
from keras_fn_jax.profiling import (
    is_out_of_memory as is_out_of_memory,
    profile as profile,
    wait as wait,
)
from keras_fn_jax.tensors import (
    borrow as borrow,
    cast as cast,
    convert_to_numpy as convert_to_numpy,
    convert_to_tensor as convert_to_tensor,
    dtype_name as dtype_name,
    is_tensor as is_tensor,
    is_traced as is_traced,
    shape as shape,
)
from keras_fn_jax.transforms import (
    abstract_eval as abstract_eval,
    compile as compile,
    compile_call as compile_call,
    value_and_grad as value_and_grad,
)
from keras_fn_jax.variables import (
    assign as assign,
    assign_add as assign_add,
    new_variable as new_variable,
    set_trainable as set_trainable,
)

name = "jax"
