"""The public names of keras_fn, for `_lazy.attach_stub` and type checkers."""

from keras_fn import (
    activations as activations,
    applications as applications,
    backend as backend,
    callbacks as callbacks,
    config as config,
    constraints as constraints,
    datasets as datasets,
    debugging as debugging,
    distillation as distillation,
    distribution as distribution,
    dtype_policies as dtype_policies,
    export as export,
    initializers as initializers,
    layers as layers,
    legacy as legacy,
    losses as losses,
    metrics as metrics,
    mixed_precision as mixed_precision,
    models as models,
    ops as ops,
    optimizers as optimizers,
    preprocessing as preprocessing,
    quantizers as quantizers,
    random as random,
    regularizers as regularizers,
    saving as saving,
    tree as tree,
    utils as utils,
    visualization as visualization,
    wrappers as wrappers,
)
from keras_fn.alias.installation import install as install
from keras_fn.core.device import device as device
from keras_fn.core.input_spec import InputSpec as InputSpec
from keras_fn.core.keras_tensor import KerasTensor as KerasTensor
from keras_fn.core.naming import name_scope as name_scope
from keras_fn.core.operation import Operation as Operation
from keras_fn.core.scopes import StatelessScope as StatelessScope, SymbolicScope as SymbolicScope
from keras_fn.core.variable import Variable as Variable
from keras_fn.dtype_policies import DTypePolicy as DTypePolicy, FloatDTypePolicy as FloatDTypePolicy
from keras_fn.initializers import Initializer as Initializer
from keras_fn.layers import Input as Input, Layer as Layer
from keras_fn.layers._remat import RematScope as RematScope
from keras_fn.losses import Loss as Loss
from keras_fn.metrics import Metric as Metric
from keras_fn.models import Model as Model, Sequential as Sequential
from keras_fn.models.function import Function as Function
from keras_fn.ops.autodiff import remat as remat
from keras_fn.optimizers import Optimizer as Optimizer
from keras_fn.quantizers import Quantizer as Quantizer
from keras_fn.regularizers import Regularizer as Regularizer
from keras_fn.training.gradients import value_and_grad as value_and_grad
from keras_fn.version import __version__ as __version__, version as version
