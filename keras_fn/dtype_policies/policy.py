"""Which dtype a layer computes in, and which its variables have."""

from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops import cast
from keras_fn.settings import settings

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """The dtypes of a layer: what it computes in, and what its variables have.

    Args:
        name: A dtype, for both; or `"mixed_float16"` or `"mixed_bfloat16"`, to compute in 16
            bits on float32 variables. By default the policy of the process.

    Attributes:
        name: The name.
        compute_dtype: Dtype that inputs are cast to and results have.
        variable_dtype: Dtype of variables.
        quantization_mode: None: variables are not quantised.

    Raises:
        TypeError: `name` is no string.
        ValueError: It names no dtype and no mixed policy.

    Example:
        >>> policy = keras.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')

    References:
        Micikevicius et al., "Mixed Precision Training", 2018. https://arxiv.org/abs/1710.03740
    """

    def __init__(self, name: str | None = None):
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str):
            raise _no_policy(name)
        self._name = name
        self._compute_dtype = _MIXED.get(name) or _dtype(name)
        self._variable_dtype = "float32" if name in _MIXED else self._compute_dtype

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Dtype that inputs are cast to and results have."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How variables are quantised; None: they are not."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Makes a tensor of an array, and casts floats.

        Args:
            x: Anything; what is no tensor or array is returned as it is.
            autocast: Whether to cast floats.
            dtype: The dtype to cast them to.
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
        """Returns the constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an instance made from what `get_config` gave."""
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
    """A `DTypePolicy`, by the name that it had before; equal to one of the same name.

    Example:
        >>> keras.FloatDTypePolicy("float32") == keras.DTypePolicy("float32")
        True
    """


def dtype_policy() -> DTypePolicy:
    """Returns the policy that layers have by default.

    Example:
        >>> keras.config.dtype_policy()
        <DTypePolicy "float32">
    """
    if settings.dtype_policy is None:
        settings.dtype_policy = DTypePolicy(settings.floatx)
    return settings.dtype_policy


def _kind(policy: Any) -> type:
    return DTypePolicy if type(policy) is FloatDTypePolicy else type(policy)


def _dtype(name: str) -> str:
    try:
        return dtypes.standardize_dtype(name)
    except ValueError:
        raise _no_policy(name) from None


def _no_policy(received: Any) -> SpecError:
    make = SpecError if isinstance(received, str) else DTypeError
    return make(
        "DTypePolicy",
        expected=f"the name of a dtype, or one of {', '.join(_MIXED)}",
        received=f"{received!r}",
        fix='choose one of these, for example "mixed_bfloat16"',
    )
