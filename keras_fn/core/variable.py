"""The Variable: state with a shape, a dtype and a name, kept by the backend."""

from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any, cast

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import is_float, standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.naming import auto_name, check_name, current_path
from keras_fn.core.operators import Arithmetic
from keras_fn.core.scopes import NOTHING, context
from keras_fn.errors import SpecError


class Variable(Arithmetic):
    """A tensor that can be assigned: a weight, a moving average, a counter.

    Reading goes through the active `StatelessScope`, which is what makes layers, metrics and
    optimizers pure functions where a backend needs them so.

    Args:
        initializer: The value (array, list, number), or a function `(shape, dtype) -> value`.
        shape: Its shape; needed with a function, and when no value is given it is the value's.
        dtype: Its dtype; by default that of the value, `floatx()` for Python floats.
        trainable: Whether optimizers update it.
        autocast: Whether layers with a lower compute dtype read it in that dtype.
        aggregation: How copies on several devices become one: `"none"`, `"mean"`, `"sum"` or
            `"only_first_replica"`.
        synchronization: When copies are synchronised: `"auto"`, `"none"`, `"on_read"` or
            `"on_write"`.
        name: A name; automatic by default.
        layout: How it is laid out over devices, if it is.

    Raises:
        ValueError: A function without a shape, or a shape that is not the value's.

    Example:
        >>> v = Variable([1.0, 2.0], name="pair")
        >>> v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist()
        [2.0, 3.0]
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        if kwargs:
            raise TypeError(f"Variable does not take {', '.join(kwargs)}.")
        self.name = check_name(name or auto_name("variable"), "Variable")
        scope = current_path()
        self.path = f"{scope}/{self.name}" if scope else self.name
        self.autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization or "auto"
        self.layout = layout
        self.regularizer: Any = None
        self.constraint: Callable[[Any], Any] | None = None
        self.overwrite_with_gradient = False
        self._trainable = self.wants_training = bool(trainable)
        self.shape: tuple[int, ...]
        self._handle: Any = None  # what the backend keeps; None until the value is drawn
        self._draw: Callable[[], Any] | None = None
        if callable(initializer):
            self._declare(initializer, shape, dtype)
        else:
            self._take(initializer, shape, dtype)
        self._cast_when_asked = self.autocast and is_float(self.dtype)

    def _declare(self, initializer: Any, shape: Any, dtype: Any) -> None:
        """Notes the shape and how to draw the value; draws it unless a scope says later."""
        if shape is None:
            raise ValueError(f"Variable {self.path!r}: an initializer function needs a shape.")
        self.shape = cast("tuple[int, ...]", standardize_shape(shape))
        if None in self.shape:
            raise SpecError(
                f"Variable {self.path!r}",
                expected="a shape whose sizes are all known",
                received=f"shape {self.shape}",
                fix="name the sizes that the weight depends on in Input(shape=...)",
            )
        self.dtype = standardize_dtype(dtype)
        if getattr(initializer, "draw", None):
            # On the host; the key now, so that a later draw gives the values of this moment.
            key = initializer.new_key()
            self._draw = partial(initializer.draw, self.shape, self.dtype, key)
        else:
            self._draw = partial(_value_of, initializer, self.shape, self.dtype)
        # What cannot fail waits until somebody reads it: a model that is loaded draws nothing.
        if not (getattr(initializer, "takes_any_shape", False) or context.now.lazy):
            self._materialize()

    def _take(self, value: Any, shape: Any, dtype: Any) -> None:
        """Takes a value as it is."""
        backend = current()
        if dtype is None and isinstance(value, (float, list)) and _is_float_data(value):
            dtype = standardize_dtype(None)
        tensor = backend.convert_to_tensor(
            value.value if isinstance(value, Variable) else value,
            None if dtype is None else standardize_dtype(dtype),
        )
        self.shape = tuple(tensor.shape)
        if shape is not None and standardize_shape(shape) != self.shape:
            raise ValueError(
                f"Variable {self.path!r}: shape={tuple(shape)} was asked for, but the value has "
                f"shape {self.shape}."
            )
        self.dtype = backend.dtype_name(tensor)
        self._handle = backend.new_variable(tensor, self.dtype, self._trainable, self.name)

    def _materialize(self) -> None:
        """Draws the value on the host and hands it to the backend."""
        with _one_draw:
            if self._draw is None:  # another thread was faster
                return
            value = self._draw()
            if tuple(value.shape) != self.shape:
                raise ValueError(
                    f"Variable {self.path!r}: its initializer gave shape {tuple(value.shape)}, "
                    f"{self.shape} was asked for."
                )
            backend = current()
            self._handle = backend.new_variable(value, self.dtype, self._trainable, self.name)
            self._draw = None

    @property
    def value(self) -> Any:
        """The tensor of the backend: in the active scopes, the value that they give."""
        now = context.now
        if now.stateless is None and now.autocast is None:
            if self._draw is not None:
                self._materialize()
            return self._handle
        return self._value_in(now)

    def _value_in(self, now: Any) -> Any:
        value = None
        if now.stateless is not None:
            value = now.stateless.state.get(id(self))
        if value is None:
            if self._draw is not None:
                self._materialize()
            value = self._handle
        if now.autocast is not None and self._cast_when_asked and now.autocast != self.dtype:
            return current().cast(value, now.autocast)
        return value

    @property
    def dtype_in_scope(self) -> str:
        """The dtype that `value` has here: a scope may have it read in a lower one."""
        autocast = context.now.autocast
        return autocast if autocast is not None and self._cast_when_asked else self.dtype

    def assign(self, value: Any) -> Any:
        """Sets the value; dtypes are converted, the shape must be the variable's.

        Args:
            value: A tensor, array, variable or nested list of the variable's shape.

        Raises:
            ValueError: The shape differs.
        """
        now = context.now
        if now.symbolic or isinstance(value, KerasTensor):
            return None
        backend = current()
        if isinstance(value, Variable):
            value = value.value
        value = backend.convert_to_tensor(value, self.dtype)
        if value.shape != self.shape and tuple(value.shape) != self.shape:
            raise self._misfit(value)
        if now.stateless is not None:
            now.stateless.add_update((self, value))
        elif self._handle is None:
            self._draw = None
            self._handle = backend.new_variable(value, self.dtype, self._trainable, self.name)
        else:
            self._handle = backend.assign(self._handle, value)
        return None

    def _misfit(self, value: Any) -> SpecError:
        return SpecError(
            f"Variable {self.path!r}",
            expected=f"a value of shape {self.shape}",
            received=f"shape {tuple(value.shape)}",
            fix="reshape the value, or assign it to the variable that it belongs to",
        )

    def assign_add(self, value: Any) -> None:
        """Adds `value` to the variable."""
        backend = current()
        if context.now is not NOTHING or self._handle is None:
            self.assign(self + value)
        elif self._takes_number(value):
            self._handle = backend.assign_add(self._handle, value)
        elif backend.is_tensor(value) and value.shape == self.shape:
            self._handle = backend.assign_add(self._handle, backend.cast(value, self.dtype))
        else:
            self.assign(self + value)

    def _takes_number(self, value: Any) -> bool:
        if type(value) is int:
            return self.dtype != "bool"
        return type(value) is float and is_float(self.dtype)

    def assign_sub(self, value: Any) -> None:
        """Subtracts `value` from the variable."""
        self.assign(self - value)

    @property
    def trainable(self) -> bool:
        """Whether optimizers update it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self._handle is not None:
            current().set_trainable(self._handle, self._trainable)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def numpy(self) -> np.ndarray:
        """Returns the value as a NumPy array."""
        return current().convert_to_numpy(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    __index__ = __int__

    def __bool__(self) -> bool:
        return bool(self.numpy())

    # Copies and pickles hold the value as an array: not every tensor of a framework has such forms.
    def __getstate__(self) -> dict[str, Any]:
        array = current().convert_to_numpy(self.value)
        return {**vars(self), "_handle": array.copy(), "_draw": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._handle = current().new_variable(self._handle, self.dtype, self._trainable, self.name)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"Variable {self.path!r} is a scalar and has no length.")
        return self.shape[0] or 0

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"

    # Through these three the frameworks' own functions take a Variable as the tensor it holds.
    def __jax_array__(self, *args: Any) -> Any:
        return self.value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return current().convert_to_tensor(
            self.value, None if dtype is None else standardize_dtype(dtype)
        )

    # In TensorFlow's nested structures it is that tensor, as tapes and `tf.Module` see them.
    def __tf_flatten__(self) -> tuple[None, tuple[Any]]:
        return None, (self.value,)

    @classmethod
    def __tf_unflatten__(cls, metadata: None, leaves: Any) -> Any:
        return leaves[0]

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        def unwrap(x: Any) -> Any:
            if isinstance(x, (list, tuple)):
                return type(x)(map(unwrap, x))
            return x.value if isinstance(x, Variable) else x

        return function(*unwrap(args), **{k: unwrap(v) for k, v in (kwargs or {}).items()})


_one_draw = RLock()  # two threads that read a variable first must not make two handles


def _value_of(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: str) -> Any:
    """What an initializer gives; an array is copied, as it may hold on to it."""
    value = initializer(shape, dtype=dtype)
    return np.array(value) if isinstance(value, np.ndarray) else value


def _is_float_data(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"
