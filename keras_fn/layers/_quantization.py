"""Quantization of a `Layer`: the methods that all layers have, and the checks of `quantize`."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from keras_fn._lazy import LazyModule
from keras_fn.dtype_policies import DTypePolicy
from keras_fn.errors import SpecError, UnsupportedError
from keras_fn.layers._arguments import check_state, require_built
from keras_fn.layers._weights import adding_weights

if TYPE_CHECKING:
    from keras_fn.quantizers import QuantizationConfig, quantization_config as configs
else:  # rarely needed
    configs = LazyModule("keras_fn.quantizers.quantization_config")


class QuantizationMixin:
    """The quantization of a `Layer`, which its dtype policy names."""

    _quantization_modes: ClassVar[tuple[str, ...]] = ()  # those of a built-in layer
    _quantizes_layers = False  # whether `quantize` is that of the layers inside
    _is_quantized = False

    def quantize(
        self,
        mode: str | None = None,
        type_check: bool = True,
        config: "QuantizationConfig | None" = None,
    ) -> None:
        """Quantizes the weights, in place. Compile the model again afterwards.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`. None if `config` says it.
            type_check: Whether to refuse subclasses of the built-in layers, whose `call` may be
                another one.
            config: The quantizers and numbers, such as `keras.quantizers.Int8QuantizationConfig()`,
                which is the default for `"int8"`.

        Raises:
            NotImplementedError: The layer has no weights that can be quantized in this mode.
            ValueError: The layer is not built or is quantized already, or the arguments are
                invalid.
        """
        raise self._cannot_quantize(mode)

    def quantized_build(self, *args: Any, **kwargs: Any) -> None:
        """Creates the weights of a quantized layer: `build` calls it where the policy is quantized.

        Args:
            *args: The shape of the weight, and the mode.
            **kwargs: `config`, the quantization config.
        """
        raise self._cannot_quantize("by its dtype policy")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs of a quantized layer. By default `call` does.

        Args:
            *args: Arguments of `call`.
            **kwargs: Arguments of `call`.
        """
        layer: Any = self
        return layer.call(*args, **kwargs)

    def _cannot_quantize(self, mode: Any) -> UnsupportedError:
        return UnsupportedError(
            f"{_label(self)} has no weights that can be quantized: {mode!r}",
            fix="quantize layers such as Dense, EinsumDense and Embedding; Model.quantize finds "
            "them, and filters= chooses among them",
        )

    def _check_quantizable(self, mode: str) -> None:
        """Raises an error if the layer cannot be quantized in a mode now."""

    def _check_quantized_policy(self, policy: DTypePolicy) -> None:
        """Raises an error for the policy of a mode that the layer does not have."""
        mode = policy.quantization_mode
        cls: Any = type(self)
        is_custom = cls.quantize is not QuantizationMixin.quantize
        if mode is None or mode in self._quantization_modes:
            return
        if is_custom and not self._quantization_modes:
            return
        raise SpecError(
            _label(self),
            expected="a dtype policy that is not quantized"
            + "".join(f", or {name}" for name in self._quantization_modes)
            + ": the layer has no weights in this mode",
            received=f'"{policy.name}"',
            fix='choose the policy without "<mode>_from_", for example "float32"; a DTypePolicyMap '
            "has a policy for each layer inside",
        )

    def _check_same_quantization(self, current: DTypePolicy, policy: DTypePolicy) -> None:
        """Raises an error for a policy that names other quantized weights than the layer has."""
        modes = [p.name.partition("_from_")[0] for p in (current, policy)]
        if current.quantization_mode is None or modes[0] == modes[1]:
            return
        raise SpecError(
            f"{_label(self)}, dtype_policy",
            expected=f'"{modes[0]}_from_...", as the weights of the layer are quantized',
            received=f'"{policy.name}"',
            fix="create the layer anew, with its weights in floats",
        )

    def _quantize_by_policy(self, policy: DTypePolicy) -> None:
        """Quantizes a built layer, if a quantized policy was assigned to it."""
        mode = policy.quantization_mode
        if mode is None:
            return
        if mode in ("gptq", "awq"):
            raise SpecError(
                f"{_label(self)}, dtype_policy",
                expected=f'quantize("{mode}", config=...): the mode needs data to calibrate with',
                received=f'"{policy.name}"',
                fix="call Model.quantize with a config",
            )
        size = getattr(policy, "block_size", None)
        config = configs.Int4QuantizationConfig(block_size=size) if mode == "int4" else None
        self.quantize(mode, config=config)


def _label(layer: Any) -> str:
    return layer._label


def wrap_quantize(quantize: Callable[..., None]) -> Callable[..., None]:
    """Wraps the `quantize` of a class: checks and completes its arguments, and lets it add weights.

    The method receives the mode and the config, whichever of them the caller passed.
    """

    @wraps(quantize)
    def run(
        self: Any, mode: Any = None, type_check: Any = True, config: Any = None, **kwargs: Any
    ) -> None:
        if self._building:  # a subclass calls the method of its base class
            return quantize(self, mode=mode, type_check=type_check, config=config, **kwargs)
        if not isinstance(type_check, bool):  # Keras takes the config as the second argument
            type_check, config = True, type_check
        config = configs.resolve_config(mode, config)
        check_quantizable(self, config.mode)
        with adding_weights(self):
            quantize(self, mode=config.mode, type_check=type_check, config=config, **kwargs)
        self._is_quantized = True

    return run


def check_quantizable(layer: Any, mode: str) -> None:
    """Raises an error if a layer cannot be quantized now."""
    policy = layer._policy
    checks = (
        require_built(layer.built),
        (
            not layer._is_quantized,
            ("a layer that is not quantized", f'one with the dtype policy "{policy.name}"'),
            "quantize the layer once, from its weights in floats",
        ),
        (
            mode != "int8" or policy.compute_dtype != "float16",
            ("another compute dtype than float16, whose range the sums exceed", policy.name),
            'build the layer with dtype="mixed_bfloat16"',
        ),
    )
    check_state(layer, "quantize", checks)
    layer._check_quantizable(mode)


def to_quantized_policy(layer: Any, config: Any) -> None:
    """Sets the dtype policy of a layer to that of its quantization config, if it has none."""
    policy = layer._policy
    if policy.quantization_mode is not None:
        return
    name = config.mode
    if hasattr(config, "dtype_policy_string"):
        name = config.dtype_policy_string()
    elif name == "int4":
        size = getattr(config, "block_size", None)
        name = f"int4/{-1 if size is None else size}"
    layer.dtype_policy = f"{name}_from_{policy.name}"
