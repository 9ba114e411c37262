"""Low-rank adaptation (LoRA) of a layer's weight."""

from typing import Any, ClassVar, cast

import numpy as np

from keras_fn import initializers
from keras_fn.backend.loader import current
from keras_fn.core.argument_forms import OPTIONAL_NUMBER, check_arguments
from keras_fn.core.variable import Variable
from keras_fn.errors import missing_method
from keras_fn.layers._arguments import argument_error, check_state, positive_int, require_built
from keras_fn.layers._weights import adding_weights
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import cast as cast_to
from keras_fn.ops.linalg.products import matmul
from keras_fn.types import InitializerLike, Tensor


class EffectiveWeight:
    """Descriptor of the weight that a layer computes with.

    Where that is a variable, it is an attribute of this name, which Python finds before the
    descriptor: a layer without adaptation pays nothing. Else the variable has a private name.
    """

    def __init__(self, name: str):
        self._name = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        if f"_{self._name}" not in vars(layer) and not layer._is_adapted:
            raise AttributeError(f"{layer._label} has no {self._name} until it is built")
        return layer._effective_weight()


class BaseWeight:
    """Descriptor of the private name of the variable, where the layer computes with it."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        if self._name not in vars(layer):
            raise AttributeError(f"{layer._label} has no {self._name} until it is built")
        return vars(layer)[self._name]


class LoraLayer(Layer):
    """Base class of layers whose weight, the kernel or a table, low-rank adaptation can update.

    The weight is frozen, and the layer computes with `weight + alpha / rank * (A @ B)`, of which
    `A` and `B` are trained.

    References:
        Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
        https://arxiv.org/abs/2106.09685
    """

    lora_rank: int | None = None
    lora_alpha: float | None = None
    lora_enabled = False
    _adapted_weight: ClassVar[str] = "kernel"  # the attribute
    _is_adapted = False  # whether the layer computes with something else than the variable

    def _set_lora(self, rank: int | None, alpha: float | None) -> None:
        """Sets the arguments of the constructor."""
        if rank is None and alpha is None:  # as they are
            return
        if rank is None:
            fix = "set lora_rank, too"
            raise argument_error(self, "lora_alpha", "None where lora_rank is None", alpha, fix)
        self.lora_rank = positive_int(self, "lora_rank", rank)
        self.lora_alpha = rank if alpha is None else alpha

    def _start_lora(self) -> None:
        """Enables the adaptation that the constructor asked for, at the end of `build`."""
        if self.lora_rank is not None:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: InitializerLike = "he_uniform",
        b_initializer: InitializerLike = "zeros",
    ) -> None:
        """Enables low-rank adaptation: freezes the weight and trains a low-rank update of it.

        Compile the model again afterwards: other variables are trained. A file holds the weight
        with the update added, and a layer that loads it starts with an update of zero.

        Args:
            rank: The rank of the update: a positive integer.
            lora_alpha: The update is scaled by `lora_alpha / rank`. By default `rank`.
            a_initializer: Initializer for the first factor.
            b_initializer: Initializer for the second factor. With zeros, the layer computes what
                it did before.

        Raises:
            ValueError: The layer is not built, has a constraint or is adapted already.
            TypeError: `lora_alpha` is not a number.
        """
        name = self._adapted_weight
        self._check_lora(name)
        positive_int(self, "rank", rank)
        source = f"{self._label}, enable_lora"
        check_arguments(source, {"lora_alpha": OPTIONAL_NUMBER}, {"lora_alpha": lora_alpha})
        shape, regularizer = self._weight_shape(), getattr(self, f"{name}_regularizer")
        factors = {
            "a": ((*shape[:-1], rank), initializers.get(a_initializer)),
            "b": ((rank, shape[-1]), initializers.get(b_initializer)),
        }
        with adding_weights(self):
            for letter, (size, initializer) in factors.items():
                factor = self.add_weight(
                    size,
                    initializer,
                    dtype="float32",  # a small update is lost in fewer bits
                    regularizer=regularizer,
                    name=f"lora_{name}_{letter}",
                )
                setattr(self, factor.name, factor)
        self._hide_weight()
        base: Variable = getattr(self, f"_{name}")
        base.trainable, base._is_frozen = False, True
        self.lora_enabled = True
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha

    def _check_lora(self, name: str) -> None:
        """Raises an error if the layer cannot be adapted now."""
        constraint = f"{name}_constraint"
        checks = (
            require_built(self.built or self._building),
            (
                getattr(self, constraint) is None,
                ("a layer without constraint, which the update would break", f"a {constraint}"),
                f"remove {constraint}",
            ),
            (
                not self.lora_enabled,
                ("a layer that is not adapted", f"one with an update of rank {self.lora_rank}"),
                "enable it once; save and load the model to start again from the sum",
            ),
        )
        check_state(self, "enable_lora", checks)

    def _hide_weight(self) -> None:
        """Moves the variable to its private name, so that the descriptor answers for it."""
        own, name = vars(self), self._adapted_weight
        if name in own:
            own[f"_{name}"] = own.pop(name)
        self._is_adapted = True

    # ---------------------------------------------------------------- computation

    def _weight_shape(self) -> tuple[int, ...]:
        return getattr(self, f"_{self._adapted_weight}").shape

    def _factors(self) -> tuple[Variable, Variable]:
        prefix = f"lora_{self._adapted_weight}"
        return getattr(self, f"{prefix}_a"), getattr(self, f"{prefix}_b")

    @property
    def _lora_scale(self) -> float:
        return cast(float, self.lora_alpha) / cast(int, self.lora_rank)

    def _effective_weight(self) -> Tensor:
        """Returns the weight with the update."""
        return self._add_update(getattr(self, f"_{self._adapted_weight}"))

    def _add_update(self, weight: Any) -> Tensor:
        a, b = self._factors()
        update = multiply(matmul(a, b), self._lora_scale)
        return cast_to(add(weight, update), self.compute_dtype)

    def _multiply(self, inputs: Any, weight: Any) -> Tensor:
        """Returns the linear map of the layer, without bias: subclasses define it."""
        raise missing_method(self, "_multiply(inputs, weight)")

    @property
    def _multiplies_factors(self) -> bool:
        """Whether a product with `A @ B` is one with A, followed by a matrix product with B."""
        return True

    def _multiply_base(self, inputs: Any) -> Tensor:
        """Returns the linear map of the inputs, without bias and without update."""
        return self._multiply(inputs, getattr(self, f"_{self._adapted_weight}"))

    def _multiply_adapted(self, inputs: Any) -> Tensor:
        """Returns the linear map of the inputs, without bias, with the update."""
        outputs = self._multiply_base(inputs)
        if not self.lora_enabled:
            return outputs
        a, b = self._factors()
        if not self._multiplies_factors:
            update = self._multiply(inputs, matmul(a, b))
            return cast_to(add(outputs, multiply(update, self._lora_scale)), self.compute_dtype)
        # Two thin products, instead of the update, which is as large as the weight.
        update = multiply(matmul(self._multiply(inputs, a), b), self._lora_scale)
        return cast_to(add(outputs, update), self.compute_dtype)

    # ---------------------------------------------------------------- files

    def _file_variables(self) -> list[Variable]:
        own = super()._file_variables()
        if not self.lora_enabled:
            return own
        factors = set(map(id, self._factors()))
        return [variable for variable in own if id(variable) not in factors]

    def _file_values(self) -> list[np.ndarray]:
        if not self.lora_enabled:
            return super()._file_values()
        base = getattr(self, f"_{self._adapted_weight}")
        merged = current().convert_to_numpy(cast_to(self._add_update(base), base.dtype))
        return [merged if v is base else v.numpy() for v in self._file_variables()]

    def _after_load(self) -> None:
        super()._after_load()
        if self.lora_enabled:  # with A zero, too, no gradient would ever change them
            b = self._factors()[1]
            b.assign(np.zeros(b.shape, b.dtype))
