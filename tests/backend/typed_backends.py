"""Not run but type-checked: basedpyright names what a backend lacks of the contract."""

import keras_fn_jax
import keras_fn_numpy
import keras_fn_tensorflow
import keras_fn_torch
from keras_fn.backend.contract import Backend, CompilesCalls, CompilesOps, ForEach, PlacesTensors

JAX: Backend = keras_fn_jax
NUMPY: Backend = keras_fn_numpy
TENSORFLOW: Backend = keras_fn_tensorflow
TORCH: Backend = keras_fn_torch

JAX_CALLS: CompilesCalls = keras_fn_jax
JAX_OPS: CompilesOps = keras_fn_jax
TENSORFLOW_CALLS: CompilesCalls = keras_fn_tensorflow
FOREACH: type[ForEach] = keras_fn_torch.foreach
PLACES: PlacesTensors = keras_fn_torch
