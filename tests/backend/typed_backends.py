"""Not run but type-checked: basedpyright names what a backend lacks of the contract."""

import keras_fn_jax
import keras_fn_numpy
import keras_fn_tensorflow
import keras_fn_torch
from keras_fn.backend.contract import (
    Backend,
    ForEach,
    SupportsAutogradRecording,
    SupportsCompileCall,
    SupportsCompileOp,
    SupportsDeviceScope,
    SupportsMultiStep,
    SupportsProfiling,
    SupportsToDevice,
)
from keras_fn.backend.function_transforms import SupportsLoops

JAX: Backend = keras_fn_jax
NUMPY: Backend = keras_fn_numpy
TENSORFLOW: Backend = keras_fn_tensorflow
TORCH: Backend = keras_fn_torch

JAX_CALLS: SupportsCompileCall = keras_fn_jax
JAX_OPS: SupportsCompileOp = keras_fn_jax
JAX_STEPS: SupportsMultiStep = keras_fn_jax
TENSORFLOW_STEPS: SupportsMultiStep = keras_fn_tensorflow
TENSORFLOW_CALLS: SupportsCompileCall = keras_fn_tensorflow
JAX_LOOPS: SupportsLoops = keras_fn_jax.ops
TENSORFLOW_LOOPS: SupportsLoops = keras_fn_tensorflow.ops
FOREACH: type[ForEach] = keras_fn_torch.foreach
PLACES: SupportsDeviceScope = keras_fn_torch
JAX_DIAGNOSES: SupportsProfiling = keras_fn_jax
MOVES: SupportsToDevice = keras_fn_torch
RECORDS: SupportsAutogradRecording = keras_fn_torch
TENSORFLOW_DIAGNOSES: SupportsProfiling = keras_fn_tensorflow
TORCH_DIAGNOSES: SupportsProfiling = keras_fn_torch
