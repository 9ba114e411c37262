"""`LayoutMap`: rules that give variables their layouts, by path."""

import re
from collections.abc import Iterator, MutableMapping, Sequence

from keras_fn.distribution.device_mesh import DeviceMesh, check_device_mesh
from keras_fn.distribution.tensor_layout import TensorLayout
from keras_fn.errors import DTypeError, SpecError


class LayoutMap(MutableMapping[str, TensorLayout | None]):
    """A layout map: regular expressions for the paths of variables, and the layouts of these.

    A path that is a key has the layout of that key. Else the layout is that of the one key that
    matches the whole path as a regular expression; a path that none matches has None. A key may
    also be the path of a layer and `"/output"`, for the layout of what the layer returns.

    Args:
        device_mesh: The `DeviceMesh` of all layouts.

    Raises:
        TypeError: It is something else.

    Example:
        >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
        >>> layout_map = keras.distribution.LayoutMap(mesh)
        >>> layout_map[".*dense.*/kernel"] = (None, "model")
        >>> layout_map["model/dense_1/kernel"].axes
        (None, 'model')
        >>> layout_map["model/dense_1/bias"] is None
        True
    """

    def __init__(self, device_mesh: DeviceMesh):
        check_device_mesh(device_mesh, "LayoutMap")
        self._device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._used: set[str] = set()  # keys that a variable's path has matched

    @property
    def device_mesh(self) -> DeviceMesh:
        """The mesh of all layouts."""
        return self._device_mesh

    def __getitem__(self, key: str) -> TensorLayout | None:
        """Returns the layout for a path, or None.

        Args:
            key: The path of a variable.

        Raises:
            ValueError: Several keys match it.
        """
        matched = self._match(key)
        return None if matched is None else self._layouts[matched]

    def _match(self, path: str) -> str | None:
        if path in self._layouts:
            return path
        matched = [key for key, pattern in self._patterns.items() if pattern.fullmatch(path)]
        if len(matched) > 1:
            raise SpecError(
                f"LayoutMap, path {path!r}",
                expected="one key that matches it",
                received=", ".join(map(repr, matched)),
                fix="make the keys more specific",
            )
        return matched[0] if matched else None

    def use(self, path: str) -> TensorLayout | None:
        """Returns the layout for a path, and notes that its key is used."""
        matched = self._match(path)
        if matched is None:
            return None
        self._used.add(matched)
        return self._layouts[matched]

    def unused_keys(self) -> list[str]:
        """Returns the keys that no path has matched so far."""
        return [key for key in self._layouts if key not in self._used]

    def __setitem__(
        self, key: str, layout: TensorLayout | Sequence[str | tuple[str, ...] | None] | None
    ) -> None:
        """Adds a rule.

        Args:
            key: A path, or a regular expression for paths.
            layout: A `TensorLayout`, or the names of mesh axes: see there.

        Raises:
            ValueError: The key is there already, or is not a regular expression, or the layout has
                names that are not axes of the mesh.
            TypeError: The layout is of another type.
        """
        if not isinstance(key, str):
            raise DTypeError(
                "LayoutMap",
                expected="a key that is a path, or a regular expression for paths",
                received=repr(key),
                fix='for example layout_map["dense/kernel"] = (None, "model")',
            )
        if key in self._layouts:
            raise SpecError(
                "LayoutMap",
                expected="a new key",
                received=f"{key!r}, which has the layout {self._layouts[key].axes}",
                fix="delete the key first, or use another",
            )
        if isinstance(layout, (tuple, list)):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise DTypeError(
                f"LayoutMap, key {key!r}",
                expected="a TensorLayout, or a tuple with a mesh axis or None for each axis",
                received=repr(layout),
                fix='for example (None, "model")',
            )
        if layout.device_mesh is None:
            layout.device_mesh = self._device_mesh
        try:
            self._patterns[key] = re.compile(key)
        except re.error as error:
            raise SpecError(
                "LayoutMap",
                expected="a key that is a regular expression",
                received=f"{key!r}: {error}",
                fix="escape characters with a meaning in regular expressions",
            ) from None
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key], self._patterns[key]
        self._used.discard(key)

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)
