"""Objects that occur several times in a config, and are one object again when it is read."""

import types
from contextvars import ContextVar
from typing import Any

from keras_fn.core import registry
from keras_fn.types import Nested


class ObjectSharingScope:
    """Scope in which an object that is serialized twice is deserialized as one object.

    Example:
        >>> from keras_fn.core.object_sharing import ObjectSharingScope
        >>> from keras_fn.core.serialization import serialize_keras_object
        >>> shared = keras.initializers.Zeros()
        >>> with ObjectSharingScope():
        ...     first, second = (serialize_keras_object(shared) for _ in range(2))
        >>> first["shared_object_id"] == second["shared_object_id"]
        True
    """

    def __init__(self) -> None:
        self.written: dict[int, tuple[Any, int]] = {}  # id(object): (object, shared id)
        self.read: dict[Any, Any] = {}  # shared id: object

    def __enter__(self) -> "ObjectSharingScope":
        self._token = _sharing.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        _sharing.reset(self._token)

    def assign_shared_id(self, obj: object, config: dict[str, Any]) -> None:
        """Adds a shared id to the config of `obj`: a count, so that files are reproducible."""
        if registry.kind_of(type(obj)) == "dtype_policy":  # immutable, so that copies are fine
            return
        shared_id = self.written.setdefault(id(obj), (obj, len(self.written) + 1))[1]
        config["shared_object_id"] = shared_id

    @staticmethod
    def finish(config: Nested) -> None:
        """Removes the ids of objects that occur once from a whole config, in place."""
        by_id: dict[int, list[dict[str, Any]]] = {}
        stack = [config]
        while stack:
            value = stack.pop()
            if isinstance(value, dict) and "shared_object_id" in value:
                by_id.setdefault(value["shared_object_id"], []).append(value)
            if isinstance(value, (dict, list, tuple)):
                stack += value.values() if isinstance(value, dict) else value
        shared = sorted(shared_id for shared_id, values in by_id.items() if len(values) > 1)
        new_ids = {shared_id: i for i, shared_id in enumerate(shared, 1)}
        for shared_id, values in by_id.items():
            for value in values:
                if len(values) > 1:
                    value["shared_object_id"] = new_ids[shared_id]
                else:
                    del value["shared_object_id"]


_sharing: ContextVar[ObjectSharingScope | None] = ContextVar("sharing", default=None)


def current_sharing_scope() -> ObjectSharingScope | None:
    """Returns the active scope, or None."""
    return _sharing.get()
