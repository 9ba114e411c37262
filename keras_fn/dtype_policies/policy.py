"""Dtype policies: the compute dtype and the variable dtype of layers."""

from typing import Any, Self

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops import cast
from keras_fn.settings import settings
from keras_fn.types import DTypeLike

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """Dtype policy of a layer: the dtype of its computation and of its variables.

    Args:
        name: A dtype in any form, for both, or a mixed precision policy: `"mixed_float16"` or
            `"mixed_bfloat16"` compute in 16 bits with float32 variables. The global policy by
            default.

    Attributes:
        name: The name of the policy.
        compute_dtype: The dtype of the computation and its result.
        variable_dtype: The dtype of variables.
        quantization_mode: None: variables are not quantized.

    Raises:
        TypeError: `name` is not a string or a dtype.
        ValueError: `name` is neither a dtype nor a mixed precision policy.

    Example:
        >>> policy = keras.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')

    References:
        Micikevicius et al., "Mixed Precision Training", 2018. https://arxiv.org/abs/1710.03740
    """

    def __init__(self, name: DTypeLike | None = None):
        name = dtype_policy().name if name is None else name
        is_mixed = isinstance(name, str) and name in _MIXED
        self._compute_dtype = _MIXED[str(name)] if is_mixed else _dtype(name)
        self._variable_dtype = "float32" if is_mixed else self._compute_dtype
        self._name = str(name) if is_mixed else self._compute_dtype

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation and its result."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The quantization mode, or None."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: DTypeLike) -> Any:
        """Converts an array to a tensor and casts floats.

        Args:
            x: A tensor or an array. Any other object is returned unchanged.
            autocast: Whether to cast floats.
            dtype: The dtype to cast floats to.

        Returns:
            A tensor of the shape of `x`, or `x` itself.
        """
        if isinstance(x, Variable):
            x = x.value
        if not isinstance(x, KerasTensor):
            backend = current()
            if not backend.is_tensor(x):
                if not hasattr(x, "__array__"):
                    return x
                x = backend.convert_to_tensor(x)
        if not autocast:
            return x
        received, wanted = dtypes.standardize_dtype(x.dtype), dtypes.standardize_dtype(dtype)
        return cast(x, wanted) if received != wanted and dtypes.is_float(received) else x

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if not isinstance(other, DTypePolicy) or _kind(other) is not _kind(self):
            return False
        return other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{_kind(self).__name__} "{self.name}">'


class FloatDTypePolicy(DTypePolicy):
    """The former name of `DTypePolicy`; equal to a `DTypePolicy` of the same name.

    Example:
        >>> keras.FloatDTypePolicy("float32") == keras.DTypePolicy("float32")
        True
    """


def dtype_policy() -> DTypePolicy:
    """Returns the global dtype policy, the default of layers.

    Example:
        >>> keras.config.dtype_policy()
        <DTypePolicy "float32">
    """
    if settings.dtype_policy is None:
        settings.dtype_policy = DTypePolicy(settings.floatx)
    return settings.dtype_policy


def _kind(policy: Any) -> type:
    return DTypePolicy if type(policy) is FloatDTypePolicy else type(policy)


def _dtype(name: DTypeLike) -> str:
    try:
        return dtypes.standardize_dtype(name)
    except ValueError:
        raise policy_error(name) from None


def policy_error(received: Any) -> SpecError:
    """Returns the error for what is not the name of a policy."""
    make = SpecError if isinstance(received, str) else DTypeError
    return make(
        "DTypePolicy",
        expected=f"the name of a dtype, or one of {', '.join(_MIXED)}",
        received=f"{received!r}",
        fix='choose one of these, for example "mixed_bfloat16"',
    )
