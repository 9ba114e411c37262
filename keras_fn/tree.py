"""Pytrees: nested lists, tuples and dicts. The public namespace `keras.tree`.

As in Keras, dicts are flattened in the order of their sorted keys.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import optree

from keras_fn.errors import SpecError
from keras_fn.types import Nested

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

_NAMESPACE = "keras_fn.tree"


def __dir__() -> list[str]:
    return __all__


class MAP_TO_NONE:
    """Returned by the function of `traverse` to replace a part by None."""


def is_nested(structure: Nested) -> bool:
    """Returns whether a value is a container, not a leaf.

    Example:
        >>> is_nested([1]), is_nested(1)
        (True, False)
    """
    return not optree.tree_is_leaf(structure, none_is_leaf=True, namespace=_NAMESPACE)


def flatten(structure: Nested) -> list[Any]:
    """Returns the leaves, those of a dict in the order of its sorted keys. None is a leaf.

    Example:
        >>> flatten({"b": 1, "a": [2, None]})
        [2, None, 1]
    """
    return optree.tree_leaves(structure, none_is_leaf=True, namespace=_NAMESPACE)


def flatten_with_path(structure: Nested) -> list[tuple[tuple[Any, ...], Any]]:
    """Returns `(path, leaf)` for each leaf; a path is a tuple of keys and indices.

    Example:
        >>> flatten_with_path({"a": [5]})
        [(('a', 0), 5)]
    """
    paths, leaves, _ = optree.tree_flatten_with_path(
        structure, none_is_leaf=True, namespace=_NAMESPACE
    )
    return list(zip(paths, leaves, strict=True))


def map_structure(
    func: Callable[..., Any], *structures: Nested, none_is_leaf: bool = True
) -> Nested:
    """Applies `func` to the leaves of structures of the same nesting.

    Args:
        func: A function of one leaf of each structure.
        *structures: One or more structures.
        none_is_leaf: Whether `func` is applied to None. Default True; otherwise None is kept.

    Returns:
        The structure of the results.

    Raises:
        ValueError: The structures differ.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, 2], [10, 20])
        [11, 22]
    """
    if not structures:
        raise SpecError(
            "tree.map_structure",
            expected="at least one structure",
            received="none",
            fix="pass the structure after the function",
        )
    if len(structures) == 1:
        return optree.tree_map(func, *structures, none_is_leaf=none_is_leaf, namespace=_NAMESPACE)

    def apply_to_leaves(*leaves: Any) -> Any:
        for leaf in leaves:
            if not optree.tree_is_leaf(leaf, none_is_leaf=none_is_leaf, namespace=_NAMESPACE):
                raise _structures_error("tree.map_structure", structures[0], leaf)
        return func(*leaves)

    return optree.tree_map(
        apply_to_leaves, *structures, none_is_leaf=none_is_leaf, namespace=_NAMESPACE
    )


def _structures_error(source: str, first: Nested, other: Nested) -> SpecError:
    """Returns the error for structures that are nested differently."""
    expected, received = (
        optree.tree_structure(x, none_is_leaf=True, namespace=_NAMESPACE) for x in (first, other)
    )
    return SpecError(
        source,
        expected=f"the structure {expected}"[:600],
        received=str(received)[:600],
        fix="pass structures of the same types, lengths and keys",
    )


def map_structure_up_to(
    shallow_structure: Nested, func: Callable[..., Any], *structures: Nested
) -> Nested:
    """Applies `func` to the parts of structures at the leaves of a shallow structure.

    Args:
        shallow_structure: The structure of the result.
        func: A function of one part of each structure.
        *structures: Structures that extend the shallow one.

    Returns:
        The shallow structure, with the results as leaves.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    spec = optree.tree_structure(shallow_structure, none_is_leaf=True, namespace=_NAMESPACE)
    parts = zip(*(spec.flatten_up_to(s) for s in structures), strict=True)
    return optree.tree_unflatten(spec, [func(*p) for p in parts])


def assert_same_structure(a: Nested, b: Nested, check_types: bool | None = None) -> None:
    """Raises an error unless two structures have the same nesting.

    Args:
        a: One structure.
        b: The other structure.
        check_types: Deprecated, has no effect: types are always compared, but a dict, an
            `OrderedDict` and a `defaultdict` of the same keys are the same.

    Raises:
        ValueError: The structures differ.

    Example:
        >>> assert_same_structure({"a": [1, 2]}, {"a": [3, 4]})
        >>> assert_same_structure([1, 2], (1, 2))
        Traceback (most recent call last):
        keras_fn.errors.SpecError: ...
    """
    if check_types is not None:
        warnings.warn(
            "check_types has no effect: leave it out, or call assert_same_paths.",
            DeprecationWarning,
            stacklevel=2,
        )
    try:
        map_structure(lambda first, second: None, a, b)
    except (ValueError, TypeError) as error:
        raise _structures_error("tree.assert_same_structure", a, b) from error


def assert_same_paths(a: Nested, b: Nested) -> None:
    """Raises an error unless two structures have leaves at the same paths.

    Args:
        a: One structure.
        b: The other structure.

    Raises:
        ValueError: The paths differ.

    Example:
        >>> assert_same_paths([1, 2], (3, 4))
        >>> assert_same_paths({"a": 1}, {"b": 1})
        Traceback (most recent call last):
        keras_fn.errors.SpecError: ...
    """
    first, second = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if first != second:
        raise SpecError(
            "tree.assert_same_paths",
            expected="structures with the same paths",
            received=f"only in the first {sorted(first - second, key=str)}, only in the second "
            f"{sorted(second - first, key=str)}"[:600],
            fix="pass structures of the same lengths and keys",
        )


def pack_sequence_as(structure: Nested, flat_sequence: Iterable[Any]) -> Nested:
    """Returns the structure with its leaves replaced.

    Args:
        structure: The structure.
        flat_sequence: The new leaves, in the order of `flatten`.

    Returns:
        A structure with the same nesting and the new leaves.

    Raises:
        ValueError: The number of leaves differs.

    Example:
        >>> pack_sequence_as({"a": 0, "b": 0}, [1, 2])
        {'a': 1, 'b': 2}
    """
    flat = list(flat_sequence)
    _, spec = optree.tree_flatten(structure, none_is_leaf=True, namespace=_NAMESPACE)
    if spec.num_leaves != len(flat):
        raise SpecError(
            "tree.pack_sequence_as",
            expected=f"{spec.num_leaves} values, as the structure has leaves",
            received=f"{len(flat)}",
            fix="pass one value for each leaf",
        )
    return optree.tree_unflatten(spec, flat)


def lists_to_tuples(structure: Nested) -> Nested:
    """Returns the structure with its lists converted to tuples.

    Example:
        >>> lists_to_tuples([1, [2]])
        (1, (2,))
    """
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Nested) -> Nested:
    """Applies `func` to each shape (a tuple or list of sizes) of nested shapes.

    Args:
        func: A function of a shape.
        structure: Nested shapes.

    Returns:
        The structure of the results.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3)})
        {'a': 2}
    """
    return optree.tree_map(
        func, structure, is_leaf=_is_shape, none_is_leaf=True, namespace=_NAMESPACE
    )


def _is_shape(x: object) -> bool:
    return isinstance(x, (list, tuple)) and all(size is None or isinstance(size, int) for size in x)


def traverse(func: Callable[[Any], Any], structure: Nested, top_down: bool = True) -> Nested:
    """Applies `func` to every part of a structure, containers included.

    Args:
        func: A function of a part. It returns the replacement, None to keep the part, or
            `MAP_TO_NONE` to replace it by None.
        structure: The structure.
        top_down: Whether containers are visited before their parts. Default True.

    Returns:
        The structure with the replacements.

    Example:
        >>> traverse(lambda x: x + 1 if isinstance(x, int) else None, [1, {"a": 2}])
        [2, {'a': 3}]
    """
    if top_down:
        result = func(structure)
        return _traverse_parts(func, structure, True) if result is None else _replacement(result)
    structure = _traverse_parts(func, structure, False)
    result = func(structure)
    return structure if result is None else _replacement(result)


def _traverse_parts(func: Callable[[Any], Any], structure: Any, top_down: bool) -> Any:
    """Returns the structure with the results of `traverse` for each of its parts."""
    parts, spec = optree.tree_flatten(
        structure, lambda x: x is not structure, none_is_leaf=True, namespace=_NAMESPACE
    )
    if optree.treespec_is_leaf(spec):
        return structure
    return optree.tree_unflatten(spec, [traverse(func, part, top_down) for part in parts])


def _replacement(result: Any) -> Any:
    return None if result is MAP_TO_NONE else result
