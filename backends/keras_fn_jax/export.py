"""Writes programs of StableHLO by `jax.export`, and SavedModels by `jax2tf`."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax import export

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError
from keras_fn_jax.tensors import native_dtype

_MAX_FILE_BYTES = 2**31
"""Offsets in a file of `jax.export`, a FlatBuffer, have 31 bits."""


def export_stablehlo(
    endpoint: Endpoint, path: str, *, platforms: Sequence[str] | None = None, vjp_order: int = 0
) -> None:
    """Writes the function of an endpoint, with its weights, as a file of `jax.export`.

    `jax.export.deserialize(data).call(*inputs)` runs it. Random seeds stay as they are.

    Args:
        endpoint: The endpoint.
        path: The path of the file.
        platforms: The platforms to lower for, for example `("cpu", "cuda", "tpu")`; that of the
            default device if None.
        vjp_order: How often the loaded function can be differentiated.

    Raises:
        SpecError: An option is malformed, or the weights are too large for such a file.
    """
    _check_options(endpoint, platforms, vjp_order)
    size = sum(math.prod(v.shape) * native_dtype(v.dtype).itemsize for v in endpoint.variables)
    if size >= _MAX_FILE_BYTES:
        raise SpecError(
            endpoint.source,
            expected="weights of less than 2 GiB, the limit of a file of jax.export",
            received=f"{size / 2**30:.1f} GiB",
            fix="export to 'tf_saved_model', or smaller parts of the model",
        )

    def call(*args: Any) -> Any:
        with StatelessScope():
            return endpoint.function(*args)

    exported = export.export(jax.jit(call), platforms=platforms)(*_argument_specs(endpoint))
    with open(path, "wb") as file:
        file.write(exported.serialize(vjp_order))


def _check_options(endpoint: Endpoint, platforms: Any, vjp_order: Any) -> None:
    is_list = isinstance(platforms, (list, tuple)) and len(platforms) > 0
    if platforms is not None and not (is_list and all(isinstance(p, str) for p in platforms)):
        raise SpecError(
            endpoint.source,
            expected="platforms: a list of names such as 'cpu', 'cuda' or 'tpu', or None",
            received=f"platforms={platforms!r}",
            fix="for example platforms=['cpu', 'cuda']",
        )
    if not isinstance(vjp_order, int) or vjp_order < 0:
        raise SpecError(
            endpoint.source,
            expected="vjp_order: how often the function can be differentiated, 0 or more",
            received=f"vjp_order={vjp_order!r}",
            fix="pass vjp_order=1 for gradients",
        )


def _argument_specs(endpoint: Endpoint) -> tuple[Any, ...]:
    """Returns the arguments as `jax.ShapeDtypeStruct`s; unknown sizes of one name are equal."""
    scope = export.SymbolicScope()
    symbol = functools.cache(lambda name: export.symbolic_shape(name, scope=scope)[0])

    def spec(x: Any, axes: dict[int, str]) -> jax.ShapeDtypeStruct:
        shape = [symbol(axes[i]) if i in axes else size for i, size in enumerate(x.shape)]
        return jax.ShapeDtypeStruct(shape, native_dtype(x.dtype))

    return tree.unflatten(endpoint.signature, map(spec, endpoint.inputs, endpoint.dynamic_axes()))


def export_tf_saved_model(
    endpoints: Sequence[Endpoint],
    path: str,
    *,
    collections: Mapping[str, Sequence[Any]] | None = None,
    resources: Sequence[Any] = (),
    save_options: Any = None,
    is_static: bool = False,
    jax2tf_kwargs: Mapping[str, Any] | None = None,
) -> None:
    """Writes a SavedModel, in which TensorFlow runs the program of XLA.

    Args:
        endpoints: The endpoints. Those without options of their own have the next two.
        path: An empty folder.
        collections: Variables to save as attributes, by the attribute's name.
        resources: Trackable objects of TensorFlow to save, too.
        save_options: The `tf.saved_model.SaveOptions`.
        is_static: Whether variables that a function assigns, such as random seeds, stay as they
            are. By default the SavedModel assigns them, too.
        jax2tf_kwargs: Arguments of `jax2tf.convert`.
    """
    from keras_fn_jax.saved_model import write_saved_model  # imports TensorFlow

    for endpoint in endpoints:
        common = {"is_static": is_static, "jax2tf_kwargs": jax2tf_kwargs}
        endpoint.options = {**common, **endpoint.options}
    write_saved_model(endpoints, path, collections or {}, resources, save_options)
