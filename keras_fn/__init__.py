"""keras_fn: the Keras 3 API over JAX, PyTorch or TensorFlow. `import keras_fn as keras`.

The environment variable `KERAS_BACKEND` names the backend. Importing this package loads none:
the first use of a layer, an op or a model does.
"""

from typing import TYPE_CHECKING

from keras_fn._lazy import attach
from keras_fn.version import __version__ as __version__
from keras_fn.version import version as version

if TYPE_CHECKING:
    from keras_fn import activations as activations
    from keras_fn import applications as applications
    from keras_fn import backend as backend
    from keras_fn import callbacks as callbacks
    from keras_fn import config as config
    from keras_fn import constraints as constraints
    from keras_fn import datasets as datasets
    from keras_fn import debugging as debugging
    from keras_fn import dtype_policies as dtype_policies
    from keras_fn import initializers as initializers
    from keras_fn import layers as layers
    from keras_fn import losses as losses
    from keras_fn import metrics as metrics
    from keras_fn import mixed_precision as mixed_precision
    from keras_fn import models as models
    from keras_fn import ops as ops
    from keras_fn import optimizers as optimizers
    from keras_fn import random as random
    from keras_fn import regularizers as regularizers
    from keras_fn import saving as saving
    from keras_fn import tree as tree
    from keras_fn import utils as utils
    from keras_fn import visualization as visualization
    from keras_fn import wrappers as wrappers
    from keras_fn.core.device import device as device
    from keras_fn.core.input_spec import InputSpec as InputSpec
    from keras_fn.core.keras_tensor import KerasTensor as KerasTensor
    from keras_fn.core.naming import name_scope as name_scope
    from keras_fn.core.operation import Operation as Operation
    from keras_fn.core.scopes import StatelessScope as StatelessScope
    from keras_fn.core.scopes import SymbolicScope as SymbolicScope
    from keras_fn.core.variable import Variable as Variable
    from keras_fn.dtype_policies import DTypePolicy as DTypePolicy
    from keras_fn.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
    from keras_fn.initializers import Initializer as Initializer
    from keras_fn.layers import Input as Input
    from keras_fn.layers import Layer as Layer
    from keras_fn.layers._remat import RematScope as RematScope
    from keras_fn.losses import Loss as Loss
    from keras_fn.metrics import Metric as Metric
    from keras_fn.models import Model as Model
    from keras_fn.models import Sequential as Sequential
    from keras_fn.models.function import Function as Function
    from keras_fn.ops.autodiff import remat as remat
    from keras_fn.optimizers import Optimizer as Optimizer
    from keras_fn.regularizers import Regularizer as Regularizer
    from keras_fn.training.gradients import value_and_grad as value_and_grad

_HOMES = {
    "DTypePolicy": "keras_fn.dtype_policies",
    "FloatDTypePolicy": "keras_fn.dtype_policies",
    "Function": "keras_fn.models.function",
    "Initializer": "keras_fn.initializers",
    "Input": "keras_fn.layers",
    "InputSpec": "keras_fn.core.input_spec",
    "KerasTensor": "keras_fn.core.keras_tensor",
    "Layer": "keras_fn.layers",
    "Loss": "keras_fn.losses",
    "Metric": "keras_fn.metrics",
    "Model": "keras_fn.models",
    "Operation": "keras_fn.core.operation",
    "Optimizer": "keras_fn.optimizers",
    "Regularizer": "keras_fn.regularizers",
    "RematScope": "keras_fn.layers._remat",
    "Sequential": "keras_fn.models",
    "StatelessScope": "keras_fn.core.scopes",
    "SymbolicScope": "keras_fn.core.scopes",
    "Variable": "keras_fn.core.variable",
    "device": "keras_fn.core.device",
    "name_scope": "keras_fn.core.naming",
    "remat": "keras_fn.ops.autodiff",
    "value_and_grad": "keras_fn.training.gradients",
}
_MODULES = (
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "debugging",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "visualization",
    "wrappers",
)

__getattr__, __dir__, __all__ = attach(__name__, _HOMES, _MODULES)
