"""Tuples in the config of a graph, which JSON turns into lists: where they are, and back again."""

from collections.abc import Iterator
from typing import Any

_KEYS = ("input_layers", "output_layers")  # the structures of a call that users see

Paths = list[list[str | int]]
"""The keys and indices that lead to each tuple, outermost first."""


def find_tuples(config: dict[str, Any]) -> Paths:
    """Returns the paths of the tuples in the inputs and outputs of a graph.

    Args:
        config: The config of a model; anything else has none.
    """
    return [path for key in _KEYS if key in config for path in _walk(config[key], [key])]


def _walk(value: Any, path: list[str | int]) -> Iterator[list[str | int]]:
    if isinstance(value, tuple):
        yield path
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _walk(item, [*path, i])
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, [*path, key])


def restore_tuples(config: dict[str, Any], paths: Any) -> dict[str, Any]:
    """Returns a config with tuples at some paths.

    Args:
        config: A config that was read from JSON.
        paths: The paths that `find_tuples` returned. A path that leads to no list is ignored.
    """
    known = {tuple(path) for path in paths if isinstance(path, list)} if paths else set()
    return {
        key: _restored(value, (key,), known) if key in _KEYS else value
        for key, value in config.items()
    }


def _restored(value: Any, path: tuple[Any, ...], known: set[tuple[Any, ...]]) -> Any:
    if isinstance(value, dict):
        return {key: _restored(item, (*path, key), known) for key, item in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    items = [_restored(item, (*path, i), known) for i, item in enumerate(value)]
    return tuple(items) if path in known or isinstance(value, tuple) else items
