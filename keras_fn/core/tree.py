"""Pytrees: nested lists, tuples, named tuples and dicts. None is a leaf.

Dicts keep the order of their keys here, while `keras.tree`, the public namespace, sorts them as
Keras does. So leaves of two structures are matched by path (`flatten_like`), not by position.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

import optree

from keras_fn.types import Nested

IsLeaf = Callable[[Any], bool] | None
"""A predicate that stops the recursion: a container for which it returns True is a leaf."""

_NAMESPACE = "keras_fn"
_SORTED_NAMESPACE = "keras_fn.tree"
# Entered once, because entering it around every call would cost more than the calls.
_IN_ORDER = optree.dict_insertion_ordered(True, namespace=_NAMESPACE)
_IN_ORDER.__enter__()


def flatten(structure: Nested, is_leaf: IsLeaf = None) -> list[Any]:
    """Returns the leaves, in order."""
    if not isinstance(structure, _CONTAINERS):
        return [structure]
    nested: Any = structure
    return optree.tree_leaves(nested, is_leaf, none_is_leaf=True, namespace=_NAMESPACE)


def flatten_sorted(structure: Nested) -> list[Any]:
    """Returns the leaves; those of a dict in the order of its sorted keys, as Keras does."""
    return optree.tree_leaves(structure, none_is_leaf=True, namespace=_SORTED_NAMESPACE)


def map_structure(function: Callable[..., Any], *structures: Nested, is_leaf: IsLeaf = None) -> Any:
    """Returns the structure with each leaf replaced by `function(leaf)`.

    Args:
        function: Takes one leaf of each structure.
        *structures: Structures of the same keys and lengths.
        is_leaf: Predicate for containers of the first structure that are leaves.
    """
    if not isinstance(structures[0], _CONTAINERS):
        return function(*structures)
    return optree.tree_map(
        function, *structures, is_leaf=is_leaf, none_is_leaf=True, namespace=_NAMESPACE
    )


def map_with_path(function: Callable[..., Any], structure: Nested) -> Any:
    """Returns the structure with each leaf replaced by `function(path, leaf)`.

    Args:
        function: Takes the path of a leaf (a tuple of keys and indices) and the leaf.
        structure: Nested lists, tuples and dicts.

    Example:
        >>> map_with_path(lambda path, leaf: (*path, leaf), {"a": [1, 2]})
        {'a': [('a', 0, 1), ('a', 1, 2)]}
    """
    if not isinstance(structure, _CONTAINERS):
        return function((), structure)
    return optree.tree_map_with_path(
        function, cast(Any, structure), none_is_leaf=True, namespace=_NAMESPACE
    )


def unflatten(structure: Nested, leaves: Iterable[Any]) -> Any:
    """Returns the structure with its leaves replaced by `leaves`, in the order of `flatten`."""
    spec = optree.tree_structure(structure, none_is_leaf=True, namespace=_NAMESPACE)
    return optree.tree_unflatten(spec, leaves)


def treedef(nested: Nested) -> Any:
    """Returns the nesting of a structure, without its leaves: comparable and hashable."""
    return optree.tree_structure(nested, none_is_leaf=True, namespace=_NAMESPACE)


def paths(structure: Nested) -> list[tuple[Any, ...]]:
    """Returns the path of keys and indices to each leaf, in the order of `flatten`."""
    return optree.tree_paths(structure, none_is_leaf=True, namespace=_NAMESPACE)


def flatten_like(structure: Nested, values: Nested) -> list[Any] | None:
    """Returns the leaves of `values` in the order of `structure`; None if their keys differ."""
    order, by_path = paths(structure), dict(zip(paths(values), flatten(values), strict=True))
    return [by_path[path] for path in order] if by_path.keys() == set(order) else None


def is_same_structure(a: Nested, b: Nested) -> bool:
    """Returns whether two structures differ in their leaves alone, and in the order of keys."""
    first, second = (
        optree.tree_structure(cast(Any, x), none_is_leaf=True, namespace=_SORTED_NAMESPACE)
        for x in (a, b)
    )
    return first == second


def is_nested(structure: Nested) -> bool:
    """Returns whether a value is a container, not a leaf."""
    return isinstance(structure, _CONTAINERS)


_CONTAINERS = (list, tuple, dict)
