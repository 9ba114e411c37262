"""Level 0: the backend contract and its loader. As a public namespace, `keras.backend`."""

from keras_fn._lazy import attach

_EXPORTS = {
    "backend": "keras_fn.config",
    "clear_session": "keras_fn.utils.session",
    "epsilon": "keras_fn.settings",
    "floatx": "keras_fn.settings",
    "get_uid": "keras_fn.core.naming",
    "image_data_format": "keras_fn.settings",
    "is_float_dtype": "keras_fn.core.dtypes",
    "is_int_dtype": "keras_fn.core.dtypes",
    "is_keras_tensor": "keras_fn.core.keras_tensor",
    "result_type": "keras_fn.core.dtypes",
    "set_epsilon": "keras_fn.settings",
    "set_floatx": "keras_fn.settings",
    "set_image_data_format": "keras_fn.settings",
    "standardize_dtype": "keras_fn.core.dtypes",
}

__getattr__, __dir__, __all__ = attach(__name__, _EXPORTS)
