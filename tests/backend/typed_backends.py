"""For the type checker, not run: basedpyright reports what a backend lacks of the contract."""

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
    SupportsForeach,
    SupportsMultiStep,
    SupportsProfiling,
    SupportsRefusals,
    SupportsStoredDtype,
    SupportsWidening,
)
from keras_fn.backend.distribution_contract import (
    SupportsAllReduce,
    SupportsDevices,
    SupportsDeviceScope,
    SupportsDistribution,
    SupportsOwnedSlices,
    SupportsOwnRows,
    SupportsReplicas,
    SupportsToDevice,
)
from keras_fn.backend.function_transforms import SupportsLoops

JAX: Backend = keras_fn_jax
NUMPY: Backend = keras_fn_numpy
TENSORFLOW: Backend = keras_fn_tensorflow
TORCH: Backend = keras_fn_torch

JAX_COMPILE_CALL: SupportsCompileCall = keras_fn_jax
JAX_COMPILE_OP: SupportsCompileOp = keras_fn_jax
JAX_DEVICE_SCOPE: SupportsDeviceScope = keras_fn_jax
JAX_DISTRIBUTION: SupportsDistribution = keras_fn_jax
JAX_OWNED_SLICES: SupportsOwnedSlices = keras_fn_jax
JAX_OWN_ROWS: SupportsOwnRows = keras_fn_jax
JAX_LOOPS: SupportsLoops = keras_fn_jax.ops
JAX_MULTI_STEP: SupportsMultiStep = keras_fn_jax
JAX_PROFILING: SupportsProfiling = keras_fn_jax
JAX_REFUSALS: SupportsRefusals = keras_fn_jax
JAX_STORED_DTYPE: SupportsStoredDtype = keras_fn_jax

TENSORFLOW_ALL_REDUCE: SupportsAllReduce = keras_fn_tensorflow.ops
TENSORFLOW_COMPILE_CALL: SupportsCompileCall = keras_fn_tensorflow
TENSORFLOW_DEVICE_SCOPE: SupportsDeviceScope = keras_fn_tensorflow
TENSORFLOW_DEVICES: SupportsDevices = keras_fn_tensorflow
TENSORFLOW_LOOPS: SupportsLoops = keras_fn_tensorflow.ops
TENSORFLOW_MULTI_STEP: SupportsMultiStep = keras_fn_tensorflow
TENSORFLOW_PROFILING: SupportsProfiling = keras_fn_tensorflow
TENSORFLOW_REFUSALS: SupportsRefusals = keras_fn_tensorflow

TORCH_ALL_REDUCE: SupportsAllReduce = keras_fn_torch.ops
TORCH_AUTOGRAD_RECORDING: SupportsAutogradRecording = keras_fn_torch
TORCH_DEVICE_SCOPE: SupportsDeviceScope = keras_fn_torch
TORCH_DEVICES: SupportsDevices = keras_fn_torch
TORCH_FOREACH: type[ForEach] = keras_fn_torch.foreach
TORCH_FOREACH_TYPE: SupportsForeach = keras_fn_torch
TORCH_PROFILING: SupportsProfiling = keras_fn_torch
TORCH_REPLICAS: SupportsReplicas = keras_fn_torch
TORCH_REFUSALS: SupportsRefusals = keras_fn_torch
TORCH_TO_DEVICE: SupportsToDevice = keras_fn_torch
TORCH_WIDENING: SupportsWidening = keras_fn_torch
