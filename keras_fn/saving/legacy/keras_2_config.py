"""Upgrade of what Keras 2 wrote into the config of an object, and Keras 3 does not."""

from typing import Any

from keras_fn.core.registry import get_registered_object, table

# Arguments of a base class that Keras 2 recorded for classes that do not use them.
_OF_KERNELS = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_UNUSED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"), _OF_KERNELS
    ),
    "MultiHeadAttention": ("query_shape", "key_shape", "value_shape"),
}
# Arguments that only Keras 2 has, with the values that have no effect.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "decay": (0.0,),
    "fused": (None, False, True),
    "implementation": (0, 1, 2),
    "is_legacy_optimizer": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "softmax_robust_masking": (None, False),
    "time_major": (False,),
    "virtual_batch_size": (None,),
}
_WITHOUT_GROUPS = (
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
)  # fmt: skip
# Names of classes in files without modules, where the public name is another one.
_CLASS_NAMES = {"GroupedQueryAttention": "GroupQueryAttention"}
_ALIAS, _PACKAGE = "tf_keras.", "Custom>"


def upgrade_entry(value: dict[str, Any]) -> None:
    """Upgrades what is around the config of an object, in place.

    Keras 2 is also called `tf_keras`, says None for arguments of `compile` that have their default,
    and builds attention with the shape of the query alone.

    Args:
        value: The serialized object.
    """
    module = value.get("module")
    if module is None and isinstance(value.get("class_name"), str):
        value["class_name"] = _CLASS_NAMES.get(value["class_name"], value["class_name"])
    if isinstance(module, str) and module.startswith(_ALIAS):
        value["module"] = module.removeprefix("tf_")
        if value.get("registered_name") == value.get("class_name"):
            value["registered_name"] = None
    training, build = value.get("compile_config"), value.get("build_config")
    if isinstance(training, dict):
        for name in ("run_eagerly", "steps_per_execution", "jit_compile"):
            if name in training and training[name] is None:
                del training[name]
    is_attention = value.get("class_name") == "MultiHeadAttention"
    if is_attention and isinstance(build, dict) and build.keys() == {"input_shape"}:
        del value["build_config"]


def upgrade_arguments(class_name: str, config: dict[str, Any]) -> None:
    """Removes the arguments that have no effect and that Keras 3 does not have, in place.

    Args:
        class_name: The name of one of Keras's classes.
        config: The config of an object of it.
    """
    for name, values in _WITHOUT_EFFECT.items():
        if name in config and any(config[name] is x or config[name] == x for x in values):
            del config[name]
    for name in _UNUSED.get(class_name, ()):
        config.pop(name, None)
    if class_name in _WITHOUT_GROUPS and config.get("groups") == 1:
        del config["groups"]
    if "reduction" in config and isinstance(config.get("fn"), str):  # a loss: its class says it
        del config["fn"]
        if config["reduction"] == "auto":
            del config["reduction"]
    if class_name == "BatchNormalization" and isinstance(axis := config.get("axis"), list):
        config["axis"] = axis[0] if len(axis) == 1 else axis
    if "learning_rate" in config and isinstance(config.get("jit_compile"), bool):
        del config["jit_compile"]  # of an optimizer: how the step was run


def upgrade_optimizer_name(name: str) -> str:
    """Returns the name of the class of an optimizer, which Keras 2 wrote as `adam`, `Custom>Adam`.

    Args:
        name: The name in the file.
    """
    short = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}.get(name, name)
    own = short.removeprefix(_PACKAGE)
    is_builtin = own in table("optimizer") and get_registered_object(short) is None
    return own if is_builtin else short
