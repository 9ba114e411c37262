"""`keras.src` of the alias next to Keras's: what is public there is found, modules stay modules."""

import importlib
from pathlib import Path
from typing import Any

from real_keras import keras

from keras_fn.alias.facade import _look_up
from keras_fn.alias.facade_table import NAMESPACES

SOURCES = Path(keras.src.__file__).parent
MODULES = sorted(
    path.relative_to(SOURCES).with_suffix("").parts
    for path in SOURCES.rglob("*.py")
    if path.name != "__init__.py"
)


def public_names() -> dict[tuple[str, ...], list[Any]]:
    """Returns, by their private paths in Keras, what both publish: ours, often by several names."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for namespace in NAMESPACES:
        try:
            theirs = importlib.import_module(f"keras.{namespace}")
            ours = importlib.import_module(f"keras_fn.{namespace}")
        except ModuleNotFoundError:
            continue
        for public, value in vars(theirs).items():
            module = getattr(value, "__module__", None) or ""
            if module.startswith("keras.src.") and public in dir(ours):
                path = (*module.split(".")[2:], value.__name__)
                found.setdefault(path, []).append(getattr(ours, public))
    del found["optimizers", "LegacyOptimizerWarning"]  # in place of all of `optimizers.legacy`
    for name in ("dtype_policy", "set_dtype_policy"):  # ours in `config` call what is found
        del found["dtype_policies", "dtype_policy", name]
    return found


def look_up(path: tuple[str, ...]) -> Any:
    try:
        return _look_up(path[:-1], path[-1])
    except LookupError:
        return None


def test_public_names_are_found_by_their_private_paths() -> None:
    names = public_names()
    assert len(names) > 800
    assert not [path for path, ours in names.items() if not any(look_up(path) is x for x in ours)]


def test_modules_are_not_taken_for_names() -> None:
    assert not [path for path in MODULES if look_up(path) is not None]
