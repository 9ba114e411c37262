"""The public names of `keras.distribution`."""

from keras_fn.distribution.data_parallel import DataParallel as DataParallel
from keras_fn.distribution.device_mesh import (
    DeviceMesh as DeviceMesh,
    get_device_count as get_device_count,
    list_devices as list_devices,
)
from keras_fn.distribution.distribution_base import (
    distribution as distribution,
    set_distribution as set_distribution,
)
from keras_fn.distribution.initialization import initialize as initialize
from keras_fn.distribution.layout_map import LayoutMap as LayoutMap
from keras_fn.distribution.layout_summary import summary as summary
from keras_fn.distribution.model_parallel import ModelParallel as ModelParallel
from keras_fn.distribution.tensor_layout import (
    TensorLayout as TensorLayout,
    distribute_tensor as distribute_tensor,
)
