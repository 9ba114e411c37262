"""Utilities for data, files and models."""

from keras_fn._lazy import attach

_EXPORTS = {
    "CustomObjectScope": "keras_fn.core.registry",
    "Progbar": "keras_fn.callbacks.progress_display",
    "PyDataset": "keras_fn.data_adapters.py_dataset",
    "Sequence": "keras_fn.data_adapters.py_dataset",
    "clear_session": "keras_fn.utils.session",
    "custom_object_scope": "keras_fn.core.registry",
    "deserialize_keras_object": "keras_fn.core.serialization",
    "disable_interactive_logging": "keras_fn.config",
    "enable_interactive_logging": "keras_fn.config",
    "get_custom_objects": "keras_fn.core.registry",
    "get_file": "keras_fn.utils.file_utils",
    "get_registered_name": "keras_fn.core.registry",
    "get_registered_object": "keras_fn.core.registry",
    "get_source_inputs": "keras_fn.utils.model_utils",
    "is_interactive_logging_enabled": "keras_fn.config",
    "is_keras_tensor": "keras_fn.core.keras_tensor",
    "model_to_dot": "keras_fn.visualization.plot",
    "model_to_mermaid": "keras_fn.visualization.mermaid",
    "normalize": "keras_fn.utils.numerical_utils",
    "pack_x_y_sample_weight": "keras_fn.data_adapters.data_adapter_utils",
    "pad_sequences": "keras_fn.utils.sequence_utils",
    "plot_model": "keras_fn.visualization.plot",
    "register_keras_serializable": "keras_fn.core.registry",
    "serialize_keras_object": "keras_fn.core.serialization",
    "set_random_seed": "keras_fn.random.seed_generator",
    "standardize_dtype": "keras_fn.core.dtypes",
    "to_categorical": "keras_fn.utils.numerical_utils",
    "unpack_x_y_sample_weight": "keras_fn.data_adapters.data_adapter_utils",
}

__getattr__, __dir__, __all__ = attach(__name__, _EXPORTS)
