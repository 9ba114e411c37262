"""`TensorLayout`: by which axes of a mesh each axis of a tensor is sharded."""

from collections.abc import Sequence
from typing import Any, cast

from keras_fn.backend.distribution_contract import SupportsDistribution
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.distribution.device_mesh import DeviceMesh, check_device_mesh
from keras_fn.errors import DTypeError, SpecError
from keras_fn.types import Tensor, TensorLike


class TensorLayout:
    """The layout of a tensor over a device mesh: which axes are sharded, and by which mesh axes.

    Args:
        axes: For each axis of the tensor the name of a mesh axis, by which it is sharded, or None
            for an axis that is whole on each device. A tuple of names shards by several mesh axes.
            Axes of the tensor that follow are whole.
        device_mesh: The `DeviceMesh`. It may be set later, once.

    Raises:
        ValueError: The mesh has no axis of a name, or a name occurs twice.

    Example:
        >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
        >>> keras.distribution.TensorLayout([None, "model"], mesh).axes
        (None, 'model')
    """

    def __init__(
        self, axes: Sequence[str | tuple[str, ...] | None], device_mesh: DeviceMesh | None = None
    ):
        if isinstance(axes, str) or not isinstance(axes, Sequence):
            raise DTypeError(
                "TensorLayout",
                expected="axes: a tuple with a name or None for each axis of the tensor",
                received=f"axes={axes!r}",
                fix=f"pass ({axes!r},)",
            )
        if device_mesh is not None:
            check_device_mesh(device_mesh, "TensorLayout")
        self._axes = tuple(tuple(a) if isinstance(a, list) else a for a in axes)
        self._device_mesh = device_mesh
        self._backend_layout: Any = None
        self._check_names()

    def _check_names(self) -> None:
        names = [n for a in self._axes for n in (a if isinstance(a, tuple) else (a,)) if n]
        mesh_names = names if self._device_mesh is None else self._device_mesh.axis_names
        if not set(names) <= set(mesh_names) or len(set(names)) != len(names):
            raise SpecError(
                "TensorLayout",
                expected=f"names among {', '.join(map(repr, mesh_names))}, each once, or None",
                received=f"axes={self._axes}",
                fix="name axes of the mesh",
            )

    @property
    def axes(self) -> tuple[str | tuple[str, ...] | None, ...]:
        """For each axis of the tensor the mesh axes by which it is sharded, or None."""
        return self._axes

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise SpecError(
                "TensorLayout",
                expected="device_mesh to be set once",
                received="another device mesh",
                fix="make another layout",
            )
        check_device_mesh(device_mesh, "TensorLayout")
        self._device_mesh = device_mesh
        self._check_names()

    @property
    def backend_layout(self) -> Any:
        """The layout of the framework: `jax.sharding.NamedSharding` on JAX.

        None for one device, where the backend computes on one only.

        Raises:
            ValueError: The layout has no mesh.
        """
        if self._device_mesh is None:
            raise SpecError(
                "TensorLayout",
                expected="a layout with a device mesh",
                received="none",
                fix="pass device_mesh=",
            )
        mesh = self._device_mesh.backend_mesh
        if self._backend_layout is None and mesh is not None:
            self._backend_layout = cast(SupportsDistribution, current()).make_sharding(
                mesh, self._axes
            )
        return self._backend_layout

    @property
    def is_sharded(self) -> bool:
        """Whether the layout divides a tensor, over more than one device."""
        mesh = self._device_mesh
        return mesh is not None and any(mesh.axis_size(axes) > 1 for axes in self._axes)

    def divides(self, shape: Sequence[int]) -> bool:
        """Returns whether all shards of a tensor of this shape have the same size."""
        mesh = cast(DeviceMesh, self._device_mesh)
        pairs = zip(shape, self._axes, strict=False)
        return all(size % mesh.axis_size(axes) == 0 for size, axes in pairs)

    def check_shape(self, shape: Sequence[int], source: str) -> None:
        """Raises unless tensors of this shape can have the layout.

        Args:
            shape: The shape.
            source: What has the shape, for the error.

        Raises:
            ValueError: The layout has more axes, or does not divide one evenly.
        """
        if len(self._axes) > len(shape):
            raise SpecError(
                source,
                expected=f"a layout of {len(shape)} axes, for shape {tuple(shape)}",
                received=f"axes={self._axes}",
                fix="change the rule of the layout map so that it fits other variables only",
            )
        mesh = cast(DeviceMesh, self._device_mesh)
        for i, (size, axes) in enumerate(zip(shape, self._axes, strict=False)):
            parts = mesh.axis_size(axes)
            if size % parts:
                raise SpecError(
                    source,
                    expected=f"a size of axis {i} that divides by {parts}, the size of the mesh "
                    f"axis {axes!r}",
                    received=f"shape {tuple(shape)}, axes={self._axes}",
                    fix="change the size, or shard another axis",
                )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_backend_layout": None}  # devices cannot be pickled

    def __repr__(self) -> str:
        return f"<TensorLayout axes={self._axes}, device_mesh={self._device_mesh}>"


def distribute_tensor(tensor: TensorLike, layout: TensorLayout) -> Tensor:
    """Lays a tensor out over a device mesh.

    In a compiled function it tells the compiler which layout a tensor is to have there.

    Args:
        tensor: A tensor, an array or a variable. A `KerasTensor` is returned as it is.
        layout: The layout.

    Returns:
        The tensor in the new layout: the same shape and values.

    Raises:
        TypeError: `layout` is not a `TensorLayout`.
        ValueError: The layout does not divide the shape evenly.

    Example:
        >>> mesh = keras.distribution.DeviceMesh((1,), ["batch"], ["cpu:0"])
        >>> layout = keras.distribution.TensorLayout(["batch", None], mesh)
        >>> keras.distribution.distribute_tensor(np.ones((8, 2)), layout).shape == (8, 2)
        True
    """
    if not isinstance(layout, TensorLayout):
        raise DTypeError(
            "distribute_tensor",
            expected="layout: a keras.distribution.TensorLayout",
            received=f"layout={layout!r}",
            fix="pass TensorLayout(axes, device_mesh)",
        )
    if isinstance(tensor, KerasTensor):
        return cast(Tensor, tensor)
    value = tensor.value if isinstance(tensor, Variable) else tensor
    x = current().convert_to_tensor(value)
    sharding = layout.backend_layout
    layout.check_shape(current().shape(x), "distribute_tensor")
    if sharding is None:
        return x
    return cast(SupportsDistribution, current()).shard(x, sharding)
