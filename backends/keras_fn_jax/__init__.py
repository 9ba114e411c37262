"""The JAX backend of keras_fn."""

from keras_fn_jax import ops as ops
from keras_fn_jax.compiled import compile_op as compile_op
from keras_fn_jax.control import is_traced as is_traced
from keras_fn_jax.device import device_scope as device_scope
from keras_fn_jax.diagnosis import is_out_of_memory as is_out_of_memory
from keras_fn_jax.diagnosis import profile as profile
from keras_fn_jax.diagnosis import wait as wait
from keras_fn_jax.functions import abstract_eval as abstract_eval
from keras_fn_jax.functions import compile as compile
from keras_fn_jax.functions import compile_call as compile_call
from keras_fn_jax.functions import value_and_grad as value_and_grad
from keras_fn_jax.layer import LayerBase as LayerBase
from keras_fn_jax.many_steps import compile_many as compile_many
from keras_fn_jax.tensors import assign as assign
from keras_fn_jax.tensors import assign_add as assign_add
from keras_fn_jax.tensors import batch_indices as batch_indices
from keras_fn_jax.tensors import batch_rows as batch_rows
from keras_fn_jax.tensors import borrow as borrow
from keras_fn_jax.tensors import cast as cast
from keras_fn_jax.tensors import convert_to_numpy as convert_to_numpy
from keras_fn_jax.tensors import convert_to_tensor as convert_to_tensor
from keras_fn_jax.tensors import dtype_name as dtype_name
from keras_fn_jax.tensors import gather_rows as gather_rows
from keras_fn_jax.tensors import is_tensor as is_tensor
from keras_fn_jax.tensors import new_variable as new_variable
from keras_fn_jax.tensors import set_trainable as set_trainable
from keras_fn_jax.tensors import shape as shape

name = "jax"
