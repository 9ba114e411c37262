"""`Variable`: assignable state with a shape, a dtype and a name, stored by the backend."""

import operator
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import RLock
from typing import Any, Unpack, cast

import numpy as np

from keras_fn.backend.contract import SupportsDonation
from keras_fn.backend.distribution_contract import SupportsDistribution
from keras_fn.backend.loader import current, supports
from keras_fn.core.dtypes import is_float, standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.naming import auto_name, check_name, current_path
from keras_fn.core.operators import OPS, OperatorsMixin
from keras_fn.core.scopes import DEFAULT_CONTEXT, Context, context
from keras_fn.core.serialization import get_object
from keras_fn.core.shapes import is_compatible
from keras_fn.core.shards_mixin import ShardsMixin, gathering
from keras_fn.errors import DTypeError, SpecError, check_choice, unexpected_arguments
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, InitializerLike, NoArguments, ShapeLike, Tensor, TensorLike

_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = ("auto", "none", "on_read", "on_write")


def _attribute(name: str, check: Callable[[str, str, Any], None]) -> Any:
    """Returns a property for an attribute whose values are checked when they are set.

    Optimizers, which need it in each step, read the private attribute behind it.
    """

    def set_checked(self: "Variable", value: Any) -> None:
        check(f"Variable {self.path!r}", name, value)
        setattr(self, f"_{name}", value)

    private = f"_{name}"  # Dynamo traces `getattr`, but not `attrgetter`
    return property(lambda self: getattr(self, private), set_checked)


def _check_callable(source: str, name: str, value: Any) -> None:
    if value is not None and not callable(value):
        raise SpecError(
            source,
            expected=f"{name}: a function of the value, or None",
            received=f"{name}={value!r}",
            fix=f"set an instance of a class in keras.{name}s, or a function",
        )


def _check_bool(source: str, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise DTypeError(
            source,
            expected=f"{name}: True or False",
            received=f"{name}={value!r}",
            fix="set a boolean",
        )


class Variable(ShardsMixin, OperatorsMixin):
    """An assignable tensor: a weight, a moving average, a counter.

    Reads and writes go through the active `StatelessScope`, which turns layers, metrics and
    optimizers into pure functions where a backend needs them.

    Args:
        initializer: The initial value (array, list, number), or an initializer: by name
            (`"glorot_uniform"`), as an instance or class of `keras.initializers`, as a callable
            `f(shape, dtype)`, or as a config.
        shape: Shape of the variable. Required with an initializer; defaults to the shape of the
            value.
        dtype: Dtype of the variable. Defaults to the dtype of the value, `floatx()` for Python
            floats and for initializers.
        trainable: Whether optimizers update the variable. Default True.
        autocast: Whether the variable is cast to the compute dtype of the layer that reads it.
            Default True.
        aggregation: How replicas on several devices are aggregated: `"none"` (default), `"mean"`,
            `"sum"` or `"only_first_replica"`.
        synchronization: When replicas are synchronized: `"auto"` (default), `"none"`, `"on_read"`
            or `"on_write"`.
        name: Name of the variable; automatic by default.
        layout: Layout of the variable over devices: a `keras.distribution.TensorLayout`, or the
            names of mesh axes. None (default) for the layout that the distribution in force gives
            it, if there is one.
        **kwargs: None are accepted.

    Raises:
        ValueError: An initializer came without a shape, the shape is not the value's, or
            `aggregation` or `synchronization` is another word than these. Or the layout does not
            fit the shape.
        TypeError: There are unknown arguments, or the name of the initializer is unknown.

    Example:
        >>> v = Variable([1.0, 2.0], name="pair")
        >>> total = v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist()
        [2.0, 3.0]
        >>> Variable("zeros", shape=(2,)).numpy().tolist()
        [0.0, 0.0]
    """

    _is_frozen = False  # whether it stays as it is where its layer is trainable
    _draw_rows: Callable[[int, int], np.ndarray] | None = None  # of the deferred initializer
    _layout_request: Any = None  # the argument `layout`; of a slot, the variable that it follows
    _distribution: Any = None  # the distribution that has laid it out
    shard_index: tuple[slice, ...] | None = None  # of the part that this process stores, if any

    def __init__(
        self,
        initializer: TensorLike | InitializerLike,
        shape: ShapeLike | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Unpack[NoArguments],
    ):
        if kwargs:
            raise unexpected_arguments("Variable", kwargs)
        self.name = check_name(name or auto_name("variable"), "Variable")
        scope = current_path()
        self.path = f"{scope}/{self.name}" if scope else self.name
        self.autocast = bool(autocast)
        self.aggregation, self.synchronization = aggregation or "none", synchronization or "none"
        if self.aggregation not in _AGGREGATIONS or self.synchronization not in _SYNCHRONIZATIONS:
            source = f"Variable {self.path!r}"
            check_choice(source, "aggregation", self.aggregation, _AGGREGATIONS)
            check_choice(source, "synchronization", self.synchronization, _SYNCHRONIZATIONS)
        self.layout: Any = layout
        self._regularizer: Callable[[Any], Any] | None = None
        self._constraint: Callable[[Any], Any] | None = None
        self._overwrite_with_gradient = False
        self._trainable = self._trainable_requested = bool(trainable)
        self.shape: tuple[int, ...]
        self._handle: Any = None  # the backend's variable; None until it is initialized
        self._deferred_initializer: Callable[[], Any] | None = None
        if isinstance(initializer, (str, dict, type)):
            initializer = get_object("initializer", initializer)
        if callable(initializer):
            self._set_initializer(initializer, shape, dtype)
        else:
            self._set_value(initializer, shape, dtype)
        self._autocast_enabled = self.autocast and is_float(self._dtype)

    def _set_initializer(self, initializer: Any, shape: Any, dtype: Any) -> None:
        """Sets the shape and the initializer; runs it now unless it can be deferred."""
        if shape is None:
            raise SpecError(
                f"Variable {self.path!r}",
                expected="a shape, because an initializer is a function of the shape",
                received="shape=None",
                fix="pass shape=",
            )
        sizes: Any = standardize_shape(shape)
        self.shape = sizes
        if None in self.shape:
            raise SpecError(
                f"Variable {self.path!r}",
                expected="a shape whose sizes are all known",
                received=f"shape {self.shape}",
                fix="name the sizes that the weight depends on in Input(shape=...)",
            )
        self._dtype = standardize_dtype(dtype)
        if getattr(initializer, "draw", None):
            # The key is drawn now, so that deferring does not change the values.
            key = initializer.new_key()
            draw = partial(initializer.draw, self.shape, self._dtype, key)
        else:
            draw = partial(_call_initializer, initializer, self.shape, self._dtype)
        self._deferred_initializer = draw
        if self.layout is not None or settings.distribution is not None:
            self._settle_layout()
            if getattr(initializer, "draw_rows", None):
                self._draw_rows = partial(initializer.draw_rows, *draw.args)
        # Initializers that cannot fail run when the variable is read: loading a model runs none.
        if not (getattr(initializer, "can_defer", False) or context.current.deferred_init):
            self._materialize()

    def _set_value(self, value: Any, shape: Any, dtype: Any) -> None:
        """Initializes the variable with a value."""
        backend = current()
        if dtype is None and isinstance(value, (float, list)) and _is_float_data(value):
            dtype = standardize_dtype(None)
        tensor = backend.convert_to_tensor(
            value.value if isinstance(value, Variable) else value,
            None if dtype is None else standardize_dtype(dtype),
        )
        self.shape = tuple(tensor.shape)
        if shape is not None and standardize_shape(shape) != self.shape:
            raise SpecError(
                f"Variable {self.path!r}",
                expected=f"a value of shape {standardize_shape(shape)}, as shape= specifies",
                received=f"a value of shape {self.shape}",
                fix="remove shape=, or reshape the value",
            )
        self._dtype = backend.dtype_name(tensor)
        if self.layout is not None or settings.distribution is not None:
            self._settle_layout()
        self._handle = self._new_handle(tensor)

    def _settle_layout(self) -> None:
        """Sets the layout over devices, from the argument and the distribution in force."""
        self._layout_request = self.layout
        if settings.distribution is not None:
            self.layout = settings.distribution.settle_layout(self)
            self._distribution = settings.distribution
        elif self.layout == ():  # the names of no axes: it is replicated
            self.layout = None
        elif not hasattr(self.layout, "backend_layout"):
            raise SpecError(
                f"Variable {self.path!r}",
                expected="layout: a keras.distribution.TensorLayout with a device mesh",
                received=f"layout={self.layout!r}, and no distribution that has a mesh",
                fix="pass TensorLayout(axes, device_mesh), or call set_distribution first",
            )
        else:
            self.layout.check_shape(self.shape, f"Variable {self.path!r}")

    def _new_handle(self, value: Any) -> Any:
        """Returns the backend's variable for an array or a tensor, laid out over the devices."""
        backend = current()
        sharding = None if self.layout is None else self.layout.backend_layout
        if sharding is None:
            return backend.new_variable(value, self._dtype, self._trainable, self.name)
        distributed = cast(SupportsDistribution, backend)
        if isinstance(value, np.ndarray):
            return distributed.new_sharded_variable(
                value.__getitem__, self.shape, self._dtype, sharding
            )
        handle = backend.new_variable(value, self._dtype, self._trainable, self.name)
        return distributed.shard(handle, sharding)

    def _draw_shards(self, draw_rows: Callable[[int, int], np.ndarray]) -> Any:
        """Returns the backend's variable; each process draws the rows of its devices alone."""
        last: dict[tuple[int, int], np.ndarray] = {}  # shards of columns have the same rows

        def draw_shard(index: tuple[slice, ...]) -> np.ndarray:
            start, stop, _ = index[0].indices(self.shape[0])
            if (start, stop) not in last:
                last.clear()
                last[start, stop] = draw_rows(start, stop)
            return last[start, stop][(slice(None), *index[1:])]

        return cast(SupportsDistribution, current()).new_sharded_variable(
            draw_shard, self.shape, self._dtype, self.layout.backend_layout
        )

    def _relayout(self, layout: Any) -> None:
        """Moves the variable to another layout."""
        self.layout = layout
        if self._handle is not None and layout.backend_layout is not None:
            backend = cast(SupportsDistribution, current())
            self._handle = backend.shard(self._handle, layout.backend_layout)

    def _materialize(self) -> None:
        """Runs the deferred initializer and creates the backend's variable."""
        with _init_lock:
            if self._deferred_initializer is None:  # another thread was faster
                return
            is_sharded = self.layout is not None and (
                self.shard_index is not None or self.layout.backend_layout is not None
            )
            if is_sharded and self.shape and self._draw_rows is not None:
                self._handle = self._draw_shards(self._draw_rows)
                self._deferred_initializer = self._draw_rows = None
                return
            value = self._deferred_initializer()
            if tuple(value.shape) != self.shape:
                raise SpecError(
                    f"Variable {self.path!r}",
                    expected=f"an initializer that returns shape {self.shape}",
                    received=f"shape {tuple(value.shape)}",
                    fix="return a value of the shape that is the initializer's first argument",
                )
            self._handle = self._new_handle(value)
            self._deferred_initializer = None

    @property
    def value(self) -> Tensor:
        """The value: a tensor of the backend, as the active scopes define it."""
        active = context.current
        if active.stateless is None and active.autocast is None:
            if self._deferred_initializer is not None:
                self._materialize()
            return self._handle
        return self._value_in(active)

    def _value_in(self, active: Context) -> Any:
        value = None
        if active.stateless is not None:
            value = active.stateless.state.get(id(self))
        if value is None:
            if self._deferred_initializer is not None:
                self._materialize()
            value = self._handle
        dtype = active.autocast
        if dtype is not None and self._autocast_enabled and dtype != self._dtype:
            return current().cast(value, dtype)
        return value

    @property
    def dtype(self) -> str:
        """The dtype of `value`: the dtype of the active `AutocastScope`, else the variable's."""
        autocast = context.current.autocast
        return autocast if autocast is not None and self._autocast_enabled else self._dtype

    def assign(self, value: TensorLike) -> Tensor:
        """Sets the value.

        Args:
            value: A value of the variable's shape. It is cast to the variable's dtype.

        Returns:
            The new value: a tensor that later assignments do not change.

        Raises:
            ValueError: The value has another shape.
        """
        active = context.current
        if active.symbolic:
            return self._assign_symbolically(value)
        backend = current()
        if isinstance(value, Variable):
            value = value.value
        tensor: Any = backend.convert_to_tensor(value, self._dtype)
        if tensor.shape != self.shape and tuple(tensor.shape) != self.shape:
            raise self._shape_error(tensor)
        if active.stateless is not None:
            active.stateless.add_update((self, tensor))
        elif self._handle is None:
            self._deferred_initializer = None
            self._handle = self._new_handle(tensor)
        else:
            self._handle = backend.assign(self._handle, tensor)
        return tensor

    def _assign_new_array(self, array: np.ndarray) -> None:
        """Sets the value to an array of the variable's shape and dtype that no one else holds.

        A variable that has no value yet need not copy it.
        """
        self._assign_handle(self._new_handle(array))

    def _assign_handle(self, handle: Any) -> None:
        """Sets the value to that of a new variable of the backend."""
        if self._handle is None:
            self._deferred_initializer = None
            self._handle = handle
        else:
            self._handle = current().take_over(self._handle, handle)

    def _assign_symbolically(self, value: Any) -> Any:
        """Checks the shape of a value and returns the variable's spec; nothing is assigned."""
        shape = getattr(value, "shape", self.shape)
        if not is_compatible(shape, self.shape):
            raise self._shape_error(value)
        return KerasTensor(self.shape, self._dtype, record_history=False)

    def _shape_error(self, value: Any) -> SpecError:
        return SpecError(
            f"Variable {self.path!r}",
            expected=f"a value of shape {self.shape}",
            received=f"shape {tuple(value.shape)}",
            fix="reshape the value, or assign it to the variable that it belongs to",
        )

    def assign_add(self, value: TensorLike) -> Tensor:
        """Adds a value, which must be broadcastable to the variable's shape, to the variable.

        Args:
            value: A tensor or number.

        Returns:
            The new value.

        Raises:
            ValueError: The sum has another shape than the variable.
        """
        return self.assign(self + value)

    def assign_sub(self, value: TensorLike) -> Tensor:
        """Subtracts a value, which must be broadcastable to the variable's shape.

        Args:
            value: A tensor or number.

        Returns:
            The new value.

        Raises:
            ValueError: The difference has another shape than the variable.
        """
        return self.assign(self - value)

    def accumulate(self, value: TensorLike) -> None:
        """Same as `assign_add`, in place where the backend can, and without a result.

        Metrics and optimizers call it in each step.

        Args:
            value: A tensor or number.
        """
        backend = current()
        if context.current is not DEFAULT_CONTEXT or self._handle is None:
            self.assign(self + value)
        elif self._can_add_number(value):
            self._handle = backend.assign_add(self._handle, value)
        elif backend.is_tensor(value) and cast(Any, value).shape == self.shape:
            self._handle = backend.assign_add(self._handle, backend.cast(value, self._dtype))
        else:
            self.assign(self + value)

    def _can_add_number(self, value: Any) -> bool:
        if type(value) is int:
            return self._dtype != "bool"
        return type(value) is float and is_float(self._dtype)

    @property
    def trainable(self) -> bool:
        """Whether optimizers update the variable."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self._handle is not None:
            current().set_trainable(self._handle, self._trainable)

    # Read in each step of a training, so the getters are C functions.
    regularizer: Callable[[Any], Any] | None = _attribute("regularizer", _check_callable)
    """A function of the value whose result is added to the loss, or None."""

    constraint: Callable[[Any], Any] | None = _attribute("constraint", _check_callable)
    """A projection of the value after each update, or None."""

    overwrite_with_gradient: bool = _attribute("overwrite_with_gradient", _check_bool)
    """Whether the optimizer sets the variable to its gradient instead of updating it."""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def numpy(self) -> np.ndarray:
        """Returns the value as a NumPy array."""
        return self._to_array(copy=True)

    def _view(self) -> np.ndarray:
        """Returns the value as an array, which may share its memory."""
        return self._to_array(copy=False)

    def _to_array(self, copy: bool) -> np.ndarray:
        backend = current()
        if gathering.gather is not None and self._spans_processes():
            return gathering.gather(self)
        for _ in range(_READS):
            try:
                return backend.convert_to_numpy(self.value, copy)
            except RuntimeError as error:
                # A train step in another thread reuses the memory, and assigns the new value next.
                if not supports("is_value_donated"):
                    raise
                if not cast(SupportsDonation, backend).is_value_donated(error):
                    raise
                time.sleep(_SECONDS_BETWEEN_READS)
        return backend.convert_to_numpy(self.value, copy)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self._item("float"))

    def __int__(self) -> int:
        return int(self._item("int"))

    def __index__(self) -> int:
        return operator.index(self._item("index"))

    def __bool__(self) -> bool:
        return bool(self._item("bool"))

    def _item(self, target: str) -> Any:
        """Returns the only element of a scalar as a Python number."""
        if self.shape:
            raise DTypeError(
                f"Variable {self.path!r}",
                expected=f"a scalar, to be used as {target}",
                received=f"a variable of shape {self.shape}",
                fix="use an element, or ops.all or ops.any for a boolean",
            )
        return self.numpy().item()

    # Elements are compared. As a key of a dict or set, a variable is found by its identity: no two
    # objects have the same hash, so `__eq__` is not called there.
    __hash__ = OperatorsMixin.__hash__

    def __eq__(self, other: object) -> Any:
        return OPS["equal"](self, other) if _is_tensor_like(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return OPS["not_equal"](self, other) if _is_tensor_like(other) else NotImplemented

    def __pos__(self) -> Tensor:
        return self.value

    # Copies and pickles hold the value as an array: some tensors cannot be copied or pickled.
    def __getstate__(self) -> dict[str, Any]:
        array = current().convert_to_numpy(self.value)
        value = {"_handle": array.copy(), "_deferred_initializer": None, "_draw_rows": None}
        # The devices may be others when it is read, but axes may have the same names.
        request = getattr(self._layout_request, "axes", self._layout_request)
        layout = {"layout": None, "_distribution": None, "_layout_request": request}
        return {**vars(self), **value, **layout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({**state, "_handle": None})
        if settings.distribution is not None:
            settings.distribution.adopt([self])
        self._handle = self._new_handle(state["_handle"])

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError(
                f"Variable {self.path!r} is a scalar and has no length",
                expected="a variable of at least one axis",
                received="shape ()",
                fix="use v.shape, or v.numpy() for its value",
            )
        return self.shape[0] or 0

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"

    # The protocols by which JAX, TensorFlow and PyTorch convert a Variable to its value.
    def __jax_array__(self, *args: Any) -> Any:
        return self.value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return current().convert_to_tensor(
            self.value, None if dtype is None else standardize_dtype(dtype)
        )

    # In TensorFlow's nested structures it is its value, as gradient tapes and `tf.Module` need.
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


_READS, _SECONDS_BETWEEN_READS = 200, 0.002

_init_lock = RLock()  # for threads that read a variable for the first time at the same time


def _call_initializer(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: str) -> Any:
    """Returns an initializer's value; an array is copied, because the initializer may keep it."""
    value = initializer(shape, dtype=dtype)
    return np.array(value) if isinstance(value, np.ndarray) else value


def _is_tensor_like(x: object) -> bool:
    """Returns whether a variable can be compared with `x`: not with None or text, for example."""
    if isinstance(x, (list, tuple)):
        return all(map(_is_tensor_like, x))
    return isinstance(x, (bool, int, float, complex)) or hasattr(x, "__array__")


def _is_float_data(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"
