"""`ModelParallel`: weights are sharded by rules, and batches over the devices that are left."""

from collections.abc import Sequence
from typing import Any

from keras_fn.core.variable import Variable
from keras_fn.distribution.device_mesh import DeviceMesh
from keras_fn.distribution.distribution_base import Distribution
from keras_fn.distribution.layout_map import LayoutMap
from keras_fn.distribution.tensor_layout import TensorLayout
from keras_fn.errors import DTypeError, SpecError, unexpected_arguments


class ModelParallel(Distribution):
    """Model (tensor) parallelism: the layouts of weights come from a `LayoutMap`.

    Batches are sharded over one axis of the mesh, so that data parallelism comes with it. Weights
    that no rule is for are replicated. A rule that is for no weight at all is an error when the
    model is trained or used: after a layer was renamed, its weights would silently be replicated.

    Args:
        layout_map: A `LayoutMap`. Or `"auto"`: each weight of 512 elements or more is sharded along
            its longest axis that divides evenly, over the mesh axes that batches are not sharded
            over; this needs `device_mesh`.
        batch_dim_name: The mesh axis over which batches are sharded. Default: the first.
        auto_shard_dataset: Whether all processes read the same data, and each takes its part of a
            batch. Default True.
        shard_weights: Whether weights are also sharded over the batch axis, along the longest axis
            that the map leaves and that divides evenly. Default False.
        **kwargs: `device_mesh`, the mesh for `layout_map="auto"`.

    Raises:
        ValueError: The mesh has no axis of that name; or `layout_map` is missing.
        TypeError: `layout_map` is of another type.
        UnsupportedError: The backend computes on one device, and there are several.

    Example:
        >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
        >>> layout_map = keras.distribution.LayoutMap(mesh)
        >>> layout_map["dense.*/kernel"] = (None, "model")
        >>> distribution = keras.distribution.ModelParallel(layout_map=layout_map)
        >>> distribution.batch_dim_name
        'batch'

    References:
        Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model
        Parallelism", 2019.
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | str | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        shard_weights: bool = False,
        **kwargs: Any,
    ):
        device_mesh: DeviceMesh | None = kwargs.pop("device_mesh", None)
        if kwargs:
            raise unexpected_arguments("ModelParallel", kwargs)
        if isinstance(layout_map, LayoutMap):
            if device_mesh is not None and device_mesh is not layout_map.device_mesh:
                raise SpecError(
                    "ModelParallel",
                    expected="the mesh of the layout map",
                    received=f"device_mesh={device_mesh}",
                    fix="remove device_mesh=",
                )
            device_mesh = layout_map.device_mesh
        elif layout_map != "auto":
            raise DTypeError(
                "ModelParallel",
                expected='layout_map: a keras.distribution.LayoutMap, or "auto"',
                received=f"layout_map={layout_map!r}",
                fix="pass LayoutMap(device_mesh)",
            )
        names = getattr(device_mesh, "axis_names", ("",))
        super().__init__(
            device_mesh,  # pyright: ignore[reportArgumentType]  # it is checked there
            names[0] if batch_dim_name is None else batch_dim_name,
            auto_shard_dataset,
            shard_weights,
        )
        self._layout_map = layout_map if isinstance(layout_map, LayoutMap) else None
        self._model_axes = tuple(name for name in names if name != self.batch_dim_name)
        if self._layout_map is None and not self._model_axes:
            raise SpecError(
                "ModelParallel, layout_map='auto'",
                expected="a mesh with an axis for weights next to the one for batches",
                received=f"axis_names={names}",
                fix='for example DeviceMesh((2, 4), ("batch", "model"))',
            )
        self._check_process_count()

    def _check_process_count(self) -> None:
        if self.num_processes > self.num_model_replicas and (
            self.num_processes % self.num_model_replicas
        ):
            raise SpecError(
                "ModelParallel",
                expected=f"a number of processes that divides by {self.num_model_replicas}, the "
                "size of the batch axis",
                received=f"{self.num_processes} processes",
                fix="change the shape of the mesh",
            )

    @property
    def num_model_replicas(self) -> int:
        """The number of copies of the model: the size of the batch axis."""
        return self.device_mesh.axis_size(self.batch_dim_name)

    def _own_axes(self, variable: Variable) -> Sequence[Any]:
        if self._layout_map is None:
            name = self._model_axes[0] if len(self._model_axes) == 1 else self._model_axes
            return self.shard_longest_axis((), variable.shape, name)
        layout = self._layout_map.use(variable.path)
        return [None] * len(variable.shape) if layout is None else layout.axes

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Returns the layout that the map has for a tensor inside the model, or None.

        Args:
            path: The path of a layer and `"/output"`.

        Returns:
            The layout, or None.
        """
        return None if self._layout_map is None else self._layout_map.use(path)

    def check_rules(self, source: str) -> None:
        """Raises if a rule of the layout map is for no variable that has been made.

        Args:
            source: The model, for the error.

        Raises:
            ValueError: There is such a rule.
        """
        unused = [] if self._layout_map is None else self._layout_map.unused_keys()
        if unused:
            raise SpecError(
                f"{source}, LayoutMap",
                expected="rules that each match the path of a variable, as a whole",
                received=f"no variable for {', '.join(map(repr, unused))}",
                fix="compare them with [v.path for v in model.variables]; remove or correct them",
            )
