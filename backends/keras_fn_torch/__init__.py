"""The PyTorch backend of keras_fn."""

from keras_fn_torch import ops as ops
from keras_fn_torch.control import is_traced as is_traced
from keras_fn_torch.diagnosis import is_out_of_memory as is_out_of_memory
from keras_fn_torch.diagnosis import profile as profile
from keras_fn_torch.diagnosis import wait as wait
from keras_fn_torch.foreach import ForEach as foreach
from keras_fn_torch.functions import abstract_eval as abstract_eval
from keras_fn_torch.functions import compile as compile
from keras_fn_torch.functions import record_gradients as record_gradients
from keras_fn_torch.functions import value_and_grad as value_and_grad
from keras_fn_torch.layer import LayerBase as LayerBase
from keras_fn_torch.tensors import assign as assign
from keras_fn_torch.tensors import assign_add as assign_add
from keras_fn_torch.tensors import batch_indices as batch_indices
from keras_fn_torch.tensors import batch_rows as batch_rows
from keras_fn_torch.tensors import borrow as borrow
from keras_fn_torch.tensors import cast as cast
from keras_fn_torch.tensors import convert_to_numpy as convert_to_numpy
from keras_fn_torch.tensors import convert_to_tensor as convert_to_tensor
from keras_fn_torch.tensors import default_device as default_device
from keras_fn_torch.tensors import device_scope as device_scope
from keras_fn_torch.tensors import dtype_name as dtype_name
from keras_fn_torch.tensors import gather_rows as gather_rows
from keras_fn_torch.tensors import is_tensor as is_tensor
from keras_fn_torch.tensors import new_variable as new_variable
from keras_fn_torch.tensors import set_trainable as set_trainable
from keras_fn_torch.tensors import shape as shape
from keras_fn_torch.tensors import to_device as to_device

name = "torch"
