"""A NumPy backend of keras_fn, for inference: the example of docs/writing_a_backend.md."""

from keras_fn_numpy import ops as ops
from keras_fn_numpy.functions import abstract_eval as abstract_eval
from keras_fn_numpy.functions import compile as compile
from keras_fn_numpy.functions import value_and_grad as value_and_grad
from keras_fn_numpy.layer import LayerBase as LayerBase
from keras_fn_numpy.tensors import assign as assign
from keras_fn_numpy.tensors import assign_add as assign_add
from keras_fn_numpy.tensors import batch_indices as batch_indices
from keras_fn_numpy.tensors import batch_rows as batch_rows
from keras_fn_numpy.tensors import borrow as borrow
from keras_fn_numpy.tensors import cast as cast
from keras_fn_numpy.tensors import convert_to_numpy as convert_to_numpy
from keras_fn_numpy.tensors import convert_to_tensor as convert_to_tensor
from keras_fn_numpy.tensors import dtype_name as dtype_name
from keras_fn_numpy.tensors import gather_rows as gather_rows
from keras_fn_numpy.tensors import is_tensor as is_tensor
from keras_fn_numpy.tensors import is_traced as is_traced
from keras_fn_numpy.tensors import new_variable as new_variable
from keras_fn_numpy.tensors import set_trainable as set_trainable
from keras_fn_numpy.tensors import shape as shape

name = "numpy"
