"""Nested lists, tuples and dicts. Dicts keep their own order here: never sort and zip.

`keras_fn.tree` is the public namespace, with Keras's conventions (sorted keys).
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

import optree

_NAMESPACE = "keras_fn"
# For good: to enter and leave it around every call would cost more than the calls themselves.
_IN_ORDER = optree.dict_insertion_ordered(True, namespace=_NAMESPACE)
_IN_ORDER.__enter__()


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves, in the order in which they stand. None is a leaf."""
    if not isinstance(structure, _CONTAINERS):
        return [structure]
    return optree.tree_leaves(cast(Any, structure), none_is_leaf=True, namespace=_NAMESPACE)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Returns the structure with `function` applied to its leaves. None is a leaf."""
    if not isinstance(structures[0], _CONTAINERS):
        return function(*structures)
    return optree.tree_map(function, *structures, none_is_leaf=True, namespace=_NAMESPACE)


def map_with_path(function: Callable[..., Any], structure: Any) -> Any:
    """Returns the structure with each leaf replaced by `function(path, leaf)`.

    Args:
        function: Takes the path of a leaf (a tuple of keys and indices) and the leaf. None
            is a leaf.
        structure: Nested lists, tuples and dicts.

    Example:
        >>> map_with_path(lambda path, leaf: (*path, leaf), {"a": [1, 2]})
        {'a': [('a', 0, 1), ('a', 1, 2)]}
    """
    if not isinstance(structure, _CONTAINERS):
        return function((), structure)
    return optree.tree_map_with_path(function, structure, none_is_leaf=True, namespace=_NAMESPACE)


def unflatten(structure: Any, leaves: Iterable[Any]) -> Any:
    """Returns the structure with its leaves replaced by `leaves`, in order."""
    spec = optree.tree_structure(structure, none_is_leaf=True, namespace=_NAMESPACE)
    return optree.tree_unflatten(spec, leaves)


def treedef(nested: Any) -> Any:
    """Returns how something is nested: an object that can be compared and hashed."""
    return optree.tree_structure(nested, none_is_leaf=True, namespace=_NAMESPACE)


def paths(structure: Any) -> list[tuple[Any, ...]]:
    """Returns the path of keys and indices to each leaf, in the order of `flatten`."""
    return optree.tree_paths(structure, none_is_leaf=True, namespace=_NAMESPACE)


def flatten_like(structure: Any, values: Any) -> list[Any] | None:
    """Returns the leaves of `values` in the order of `structure`; None if their keys differ."""
    order, found = paths(structure), dict(zip(paths(values), flatten(values), strict=True))
    return [found[path] for path in order] if found.keys() == set(order) else None


def is_nested(structure: Any) -> bool:
    """Whether it is a container rather than a leaf."""
    return isinstance(structure, _CONTAINERS)


_CONTAINERS = (list, tuple, dict)
