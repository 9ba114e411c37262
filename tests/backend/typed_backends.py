"""Not run but type-checked: basedpyright names what a backend lacks of the contract."""

import keras_fn_jax
import keras_fn_numpy
import keras_fn_tensorflow
import keras_fn_torch
from keras_fn.backend.contract import (
    Backend,
    CompilesCalls,
    CompilesOps,
    Diagnoses,
    ForEach,
    MovesTensors,
    PlacesTensors,
    RecordsGradients,
    RunsManySteps,
)
from keras_fn.backend.function_transforms import Loops

JAX: Backend = keras_fn_jax
NUMPY: Backend = keras_fn_numpy
TENSORFLOW: Backend = keras_fn_tensorflow
TORCH: Backend = keras_fn_torch

JAX_CALLS: CompilesCalls = keras_fn_jax
JAX_OPS: CompilesOps = keras_fn_jax
JAX_STEPS: RunsManySteps = keras_fn_jax
TENSORFLOW_STEPS: RunsManySteps = keras_fn_tensorflow
TENSORFLOW_CALLS: CompilesCalls = keras_fn_tensorflow
JAX_LOOPS: Loops = keras_fn_jax.ops
TENSORFLOW_LOOPS: Loops = keras_fn_tensorflow.ops
FOREACH: type[ForEach] = keras_fn_torch.foreach
PLACES: PlacesTensors = keras_fn_torch
JAX_DIAGNOSES: Diagnoses = keras_fn_jax
MOVES: MovesTensors = keras_fn_torch
RECORDS: RecordsGradients = keras_fn_torch
TENSORFLOW_DIAGNOSES: Diagnoses = keras_fn_tensorflow
TORCH_DIAGNOSES: Diagnoses = keras_fn_torch
