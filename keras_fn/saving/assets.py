"""The assets of layers: files that a layer writes into a folder, kept in the archive of a model.

A layer with assets has the methods `save_assets(inner_path)` and `load_assets(inner_path)`, as in
Keras. Its folder is in a temporary one that exists only while the model is saved or loaded, and
below it are the folders of the layers inside.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.saving.archive import check_asset_path
from keras_fn.saving.errors import ModelFileError, error_context
from keras_fn.saving.variable_paths import Saveable, walk_saveables
from keras_fn.saving.zip.strict_zip import malformed
from keras_fn.types import AnyModel


def find_assets_owners(model: AnyModel, method: str) -> list[Saveable]:
    """Returns the layers in a model that have a method for assets.

    Args:
        model: The model.
        method: `"save_assets"` or `"load_assets"`.
    """
    return [s for s in walk_saveables(model) if callable(_defined(s.owner, method))]


def _defined(owner: Any, method: str) -> Any:
    """Returns a method without asking `__getattr__`, which is slow for PyTorch's modules."""
    return vars(owner).get(method) or getattr(type(owner), method, None)


def collect_assets(model: AnyModel) -> dict[str, bytes]:
    """Lets the layers write their assets, and returns them.

    Args:
        model: The model.

    Returns:
        The content of each file, by the path of its layer and its own below that.

    Raises:
        ModelFileError: A layer wrote something that is not a regular file.
    """
    owners = find_assets_owners(model, "save_assets")
    if not owners:
        return {}
    with temporary_folder() as folder:
        for saveable in owners:
            saveable.owner.save_assets(_folder_of(folder, saveable))
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(_regular_files(Path(folder)))
        }


def _folder_of(folder: str, saveable: Saveable) -> str:
    path = os.path.join(folder, *saveable.path.split("/"))
    os.makedirs(path, exist_ok=True)
    return path


def _regular_files(folder: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(directory, name)
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                yield path
            elif not stat.S_ISDIR(mode):
                raise ModelFileError(
                    "an asset is not a regular file",
                    expected="files and folders",
                    received=f"{path.relative_to(folder).as_posix()}, a link or a device",
                    fix="write the content itself in save_assets",
                )


def hand_out_assets(model: AnyModel, assets: Mapping[str, bytes]) -> None:
    """Lets the layers read their assets, each in its own folder.

    Args:
        model: The model.
        assets: The content of each file by its path, as `collect_assets` returns it.

    Raises:
        ModelFileError: A path is not a plain relative one, or is in the folder of no layer.
    """
    for path in assets:
        check_asset_path(path)
        if any(part in assets for part in _parents(path)):
            raise malformed("a file is also the folder of another", "files in folders", path[:100])
    owners = find_assets_owners(model, "load_assets")
    prefixes = tuple(f"{s.path}/" if s.path else "" for s in owners)
    unclaimed = sorted(path for path in assets if not path.startswith(prefixes or ("\0",)))
    if unclaimed:
        raise ModelFileError(
            "there are assets of no layer of the model",
            received=", ".join(unclaimed[:5]),
            fix="the file is damaged, or the class of a layer has changed",
        )
    if not owners:
        return
    with temporary_folder() as folder:
        for path, content in assets.items():
            _write_new(folder, path, content)
        for saveable in owners:
            with error_context(saveable.title):
                saveable.owner.load_assets(_folder_of(folder, saveable))


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _write_new(folder: str, path: str, content: bytes) -> None:
    """Writes a new file below a folder."""
    target = Path(folder, *path.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "xb") as file:
        file.write(content)
