"""What `keras.src` holds: the public namespaces, and private helpers by their names.

docs/unedited_programs.md lists the helpers; `tests/alias/test_facade.py` holds it to this table.
"""

# The public namespaces of Keras, in the order in which a name is looked for.
NAMESPACES = (
    "layers", "models", "ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy", "losses",
    "metrics", "optimizers", "optimizers.legacy", "optimizers.schedules", "callbacks",
    "initializers", "regularizers", "constraints", "activations", "random", "saving", "utils",
    "utils.bounding_boxes", "utils.legacy", "legacy", "legacy.saving", "backend", "config",
    "dtype_policies", "mixed_precision", "tree", "quantizers", "distillation", "distribution",
    "export", "preprocessing", "preprocessing.image", "preprocessing.sequence", "applications",
    "datasets", "visualization", "wrappers", "testing",
    *(f"datasets.{module}" for module in (
        "boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb",
        "mnist", "reuters",
    )),
    *(f"applications.{module}" for module in (
        "convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils",
        "inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2", "mobilenet_v3",
        "nasnet", "resnet", "resnet_v2", "vgg16", "vgg19", "xception",
    )),
)  # fmt: skip

# Modules of Keras that have the name of something public, which is not meant where they are.
MODULES = (
    "version", "dtype_policies.dtype_policy", "legacy.backend", "layers.core.identity",
    *(f"backend.common.{module}" for module in ("name_scope", "remat")),
    *(f"layers.activations.{module}" for module in ("elu", "leaky_relu", "relu", "softmax")),
    *(f"layers.merging.{module}" for module in (
        "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
    )),
    *(f"layers.normalization.{module}" for module in (
        "batch_normalization", "layer_normalization", "rms_normalization",
    )),
    "layers.preprocessing.image_preprocessing.resizing",
    "layers.regularization.dropout", "layers.reshaping.flatten", "layers.reshaping.reshape",
    *(f"visualization.{module}" for module in (
        "draw_bounding_boxes", "draw_segmentation_masks", "plot_bounding_box_gallery",
        "plot_image_gallery", "plot_segmentation_mask_gallery",
    )),
)  # fmt: skip

# Modules of Keras 1 and 2 that programs still import. Their names are found where they are public.
OLD_MODULES = (
    *(f"layers.{module}" for module in (
        "advanced_activations", "convolutional", "convolutional_recurrent", "core", "embeddings",
        "local", "merge", "noise", "normalization", "pooling", "recurrent", "wrappers",
    )),
    "engine", "engine.input_layer", "engine.sequential", "engine.topology", "engine.training",
    "utils.generic_utils", "utils.np_utils", "utils.vis_utils",
)  # fmt: skip

# Parts of a path whose names are public elsewhere: `keras.src.backend.numpy.sum` is an op.
SIMILAR_NAMESPACES = {
    "backend": "ops",
    "bounding_boxes": "utils.bounding_boxes",
    "data_adapters": "utils",
    "trainers": "utils",
}

_OWN = "alias.helpers"
_TESTING = "alias.test_case"
_TEST_UTILS = "alias.test_utils"

# Private names of Keras, whatever their path: where keras_fn has them.
HELPERS = {
    # graphs, layers, shapes, scopes
    "any_symbolic_tensors": f"{_OWN}:any_symbolic_tensors",
    "compute_output_spec": f"{_OWN}:compute_output_spec",
    "standardize_shape": "core.keras_tensor:standardize_shape",
    "standardize_tuple": f"{_OWN}:standardize_tuple",
    "standardize_padding": f"{_OWN}:standardize_padding",
    "standardize_data_format": "settings:standardize_data_format",
    "canonicalize_axis": f"{_OWN}:canonicalize_axis",
    "compute_conv_transpose_output_shape": f"{_OWN}:compute_conv_transpose_output_shape",
    "compute_fans": "initializers.random:compute_fans",
    "validate_float_arg": f"{_OWN}:validate_float_arg",
    # dtypes
    "ALLOWED_DTYPES": "core.dtypes:ALL",
    "FLOAT_TYPES": f"{_OWN}:FLOAT_TYPES",
    "INT_TYPES": "core.dtypes:INTS",
    "in_stateless_scope": "core.scopes:in_stateless_scope",
    "get_stateless_scope": f"{_OWN}:get_stateless_scope",
    "in_symbolic_scope": f"{_OWN}:in_symbolic_scope",
    "AutocastScope": "core.scopes:AutocastScope",
    "Node": "core.graph:Node",
    "KerasVariable": "core.variable:Variable",
    "GroupedQueryAttention": "layers:GroupQueryAttention",
    "get_keras_mask": "core.masking:get_mask",
    "set_keras_mask": "core.masking:set_mask",
    # losses and data
    "LossFunctionWrapper": "losses.loss:LossFunctionWrapper",
    "MeanMetricWrapper": "metrics:MeanMetricWrapper",
    "squeeze_or_expand_to_same_rank": "losses.reduction:squeeze_or_expand_to_same_rank",
    "class_weight_to_sample_weights": f"{_OWN}:class_weight_to_sample_weights",
    "list_to_tuple": f"{_OWN}:list_to_tuple",
    "in_grain_data_pipeline": f"{_OWN}:in_grain_data_pipeline",
    "in_tf_graph": f"{_OWN}:in_tf_graph",
    # names, modules, decorators, messages
    "auto_name": "core.naming:auto_name",
    "to_snake_case": "core.naming:to_snake_case",
    "current_path": "core.naming:current_path",
    "draw_seed": "random.seed_generator:draw_seed",
    "jax_draw_seed": "random.seed_generator:draw_seed",
    "LazyModule": f"{_OWN}:LazyModule",
    "no_automatic_dependency_tracking": f"{_OWN}:no_automatic_dependency_tracking",
    "keras_export": f"{_OWN}:keras_export",
    "default": f"{_OWN}:default",
    "is_default": f"{_OWN}:is_default",
    "to_list": f"{_OWN}:to_list",
    "pythonify_logs": f"{_OWN}:pythonify_logs",
    "filter_traceback": "core.tracebacks:filter_traceback",
    "print_msg": f"{_OWN}:print_msg",
    # testing
    "TestCase": f"{_TESTING}:TestCase",
    "get_test_data": f"{_TEST_UTILS}:get_test_data",
    "named_product": f"{_TEST_UTILS}:named_product",
    "uses_gpu": f"{_TESTING}:uses_gpu",
    "uses_tpu": f"{_TESTING}:uses_tpu",
    "jax_uses_gpu": f"{_TESTING}:jax_uses_gpu",
    "jax_uses_tpu": f"{_TESTING}:jax_uses_tpu",
    "tensorflow_uses_gpu": f"{_TESTING}:tensorflow_uses_gpu",
    "tensorflow_uses_tpu": f"{_TESTING}:tensorflow_uses_tpu",
    "torch_uses_gpu": f"{_TESTING}:torch_uses_gpu",
}
