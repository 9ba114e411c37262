"""Nested lists, tuples and dicts, with Keras's conventions: the keys of dicts are sorted."""

from collections.abc import Callable
from typing import Any

import optree

_CONTAINERS = (list, tuple, dict)


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in a place."""


def is_nested(structure: Any) -> bool:
    """Whether it is a container rather than a leaf.

    Example:
        >>> is_nested([1]), is_nested(1)
        (True, False)
    """
    return isinstance(structure, _CONTAINERS)


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves; those of a dict in the order of its sorted keys. None is a leaf.

    Example:
        >>> flatten({"b": 1, "a": [2, None]})
        [2, None, 1]
    """
    return optree.tree_leaves(structure, none_is_leaf=True, namespace="keras_fn.tree")


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Returns `(path, leaf)` for each leaf.

    Example:
        >>> flatten_with_path({"a": [5]})
        [(('a', 0), 5)]
    """
    paths, leaves, _ = optree.tree_flatten_with_path(
        structure, none_is_leaf=True, namespace="keras_fn.tree"
    )
    return list(zip(paths, leaves, strict=True))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies `func` to the leaves of structures that are alike.

    Args:
        func: Takes one leaf of each structure.
        *structures: One or more.
        none_is_leaf: Whether None is given to `func`, rather than kept.

    Raises:
        ValueError: The structures differ.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, 2], [10, 20])
        [11, 22]
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    return optree.tree_map(func, *structures, none_is_leaf=none_is_leaf, namespace="keras_fn.tree")


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Applies `func` to the parts of structures that stand at the leaves of a shallow one.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    spec = optree.tree_structure(shallow_structure, none_is_leaf=True, namespace="keras_fn.tree")
    parts = zip(*(spec.flatten_up_to(s) for s in structures), strict=True)
    return optree.tree_unflatten(spec, [func(*p) for p in parts])


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raises ValueError unless two structures are alike.

    Args:
        a: One structure.
        b: The other.
        check_types: Types are always compared; the argument is there for older programs.
    """
    del check_types
    first, second = (
        optree.tree_structure(s, none_is_leaf=True, namespace="keras_fn.tree") for s in (a, b)
    )
    if first != second:
        raise ValueError(f"The structures differ: {first} and {second}.")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises ValueError unless two structures have leaves at the same paths."""
    first, second = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if first != second:
        raise ValueError(
            f"The structures differ: only in the first {sorted(first - second, key=str)}, only in "
            f"the second {sorted(second - first, key=str)}."
        )


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Returns the structure with its leaves replaced.

    Example:
        >>> pack_sequence_as({"a": 0, "b": 0}, [1, 2])
        {'a': 1, 'b': 2}
    """
    flat = list(flat_sequence)
    spec = optree.tree_structure(structure, none_is_leaf=True, namespace="keras_fn.tree")
    if spec.num_leaves != len(flat):
        raise ValueError(f"The structure has {spec.num_leaves} leaves; {len(flat)} values came.")
    return optree.tree_unflatten(spec, flat)


def lists_to_tuples(structure: Any) -> Any:
    """Returns the structure with tuples for lists.

    Example:
        >>> lists_to_tuples([1, [2]])
        (1, (2,))
    """
    if isinstance(structure, dict):
        return {key: lists_to_tuples(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields"):
        return tuple(lists_to_tuples(item) for item in structure)
    return structure


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Applies `func` to each shape (a tuple or list of sizes) of nested shapes.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3)})
        {'a': 2}
    """
    if isinstance(structure, dict):
        return {key: map_shape_structure(func, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)) and not all(
        size is None or isinstance(size, int) for size in structure
    ):
        return type(structure)(map_shape_structure(func, item) for item in structure)
    return func(structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Applies `func` to every part of a structure; where it returns None the part stays.

    Args:
        func: Takes a part; returns what to put in its place, None, or `MAP_TO_NONE`.
        structure: The structure.
        top_down: Whether containers come before what they hold.

    Example:
        >>> traverse(lambda x: x + 1 if isinstance(x, int) else None, [1, {"a": 2}])
        [2, {'a': 3}]
    """
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if isinstance(structure, dict):
        structure = {key: traverse(func, value, top_down) for key, value in structure.items()}
    elif isinstance(structure, (list, tuple)):
        items = [traverse(func, item, top_down) for item in structure]
        kind = type(structure)
        structure = kind(*items) if hasattr(structure, "_fields") else kind(items)
    if top_down:
        return structure
    result = func(structure)
    if result is None:
        return structure
    return None if result is MAP_TO_NONE else result
