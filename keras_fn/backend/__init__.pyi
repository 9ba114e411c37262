"""The public names of `keras.backend`."""

from keras_fn.config import backend as backend
from keras_fn.core.dtypes import (
    is_float_dtype as is_float_dtype,
    is_int_dtype as is_int_dtype,
    result_type as result_type,
    standardize_dtype as standardize_dtype,
)
from keras_fn.core.keras_tensor import is_keras_tensor as is_keras_tensor
from keras_fn.core.naming import get_uid as get_uid
from keras_fn.settings import (
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)
from keras_fn.utils.session import clear_session as clear_session
