"""Paths of the Hugging Face Hub, `hf://user/repo/file`: downloads to its cache, and uploads.

The library `huggingface_hub` transfers the files, caches them, and knows who the user is.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from keras_fn._lazy import LazyModule
from keras_fn.errors import KerasError
from keras_fn.saving.archive import ASSETS, CONFIG, METADATA, NPZ_WEIGHTS, WEIGHTS
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.shards import read_shard_names
from keras_fn.saving.state_dict import torch_shards
from keras_fn.version import KERAS_VERSION

# Imported when it is used.
huggingface_hub: Any = LazyModule("huggingface_hub", pip="huggingface_hub")
constants: Any = LazyModule("huggingface_hub.constants", pip="huggingface_hub")
# Lazy, as a command that only reads needs neither HDF5 nor layers.
safetensors_format: Any = LazyModule("keras_fn.saving.safetensors.safetensors_format")
weights_format: Any = LazyModule("keras_fn.saving.weights_format")

SCHEME = "hf://"

_FORM = "hf://user/repo, hf://user/repo/file or hf://user/repo@revision/file"
_PATH = re.compile(r"hf://([\w.\-]+/[\w.\-]+)(?:@([^/@]+))?(?:/([^\\\x00-\x1f]+))?")
_LIBRARY = {"library_name": "keras", "library_version": KERAS_VERSION}
_SHARDED = (safetensors_format, weights_format, torch_shards)
_CARD = "README.md"
_CARD_TEXT = """---
library_name: keras
---

A [Keras](https://keras.io) model. To load it:

```python
import keras

model = keras.saving.load_model("hf://{repo}")
```
"""


class _HubPath(NamedTuple):
    repo: str
    revision: str | None
    file: str  # empty for the folder of the repository


def is_hub_path(filepath: object) -> bool:
    """Returns whether an argument is a path of the Hugging Face Hub.

    Args:
        filepath: A path or a file.
    """
    return isinstance(filepath, str) and filepath.startswith(SCHEME)


def is_repository(filepath: str) -> bool:
    """Returns whether a path of the hub is that of a repository, and not of a file in it.

    Args:
        filepath: A path of the hub.

    Raises:
        ModelFileError: The path is malformed.
    """
    return not _parse(filepath).file


def _parse(filepath: str) -> _HubPath:
    match = _PATH.fullmatch(filepath)
    repo, revision, file = match.groups(default="") if match else ("", "", "")
    if not match or (file and not {"", ".", ".."}.isdisjoint(file.split("/"))):
        raise ModelFileError(
            f"{filepath!r} is not a path of the Hugging Face Hub",
            expected=_FORM,
            received=filepath,
            fix="for example hf://google/model, or hf://google/model/model.weights.h5",
        )
    return _HubPath(repo, revision or None, file)


@contextlib.contextmanager
def _hub_errors(filepath: str, action: str) -> Iterator[None]:
    """Converts the errors of the library, which are those of two HTTP clients, too."""
    try:
        yield
    except (KerasError, ImportError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ModelFileError(
            f"{filepath}: the {action} failed",
            expected="an answer of the Hugging Face Hub",
            received=f"{type(error).__name__}: {str(error).strip()}",
            fix="check the name, the network, and for private repositories `hf auth login`",
        ) from error


# ---------------------------------------------------------------- download


def download(filepath: str) -> tuple[str, str]:
    """Downloads a file, with the shards of an index, or a saved model, if the cache lacks them.

    Args:
        filepath: A path of the hub.

    Returns:
        The local path, and the folder of the cache, into which links lead.

    Raises:
        ModelFileError: The path is malformed, or the hub does not have or deliver the file.
        ImportError: The library `huggingface_hub` is not installed.
    """
    path = _parse(filepath)
    with _hub_errors(filepath, "download"):
        local = _download_file(path) if path.file else _download_folder(path)
        return local, constants.HF_HUB_CACHE


def _download_folder(path: _HubPath) -> str:
    members = [CONFIG, METADATA, WEIGHTS, NPZ_WEIGHTS, f"{ASSETS}*"]
    folder = huggingface_hub.snapshot_download(
        path.repo, revision=path.revision, allow_patterns=members, **_LIBRARY
    )
    if not os.path.isfile(os.path.join(folder, METADATA)):
        raise ModelFileError(
            f"{SCHEME}{path.repo}: the repository is not a saved model of Keras",
            expected=f"the files {CONFIG}, {METADATA} and {WEIGHTS}",
            received="a repository without them",
            fix=f"name a file of it, {SCHEME}{path.repo}/model.keras; for weights of PyTorch use "
            "keras.saving.load_state_dict",
        )
    return folder


def _download_file(path: _HubPath) -> str:
    def get(file: str, revision: str | None) -> str:
        return huggingface_hub.hf_hub_download(path.repo, file, revision=revision, **_LIBRARY)

    local = get(path.file, path.revision)
    naming = next((f.NAMING for f in _SHARDED if path.file.endswith(f.INDEX_ENDING)), None)
    if naming is not None:
        folder = path.file.rpartition("/")[0]
        # The shards of the same commit, whose name the folder in the cache has.
        commit = Path(local.removesuffix(path.file)).name
        for shard in read_shard_names(local, naming):
            get(f"{folder}/{shard}" if folder else shard, commit)
    return local


# ---------------------------------------------------------------- upload


def upload(filepath: str, write: Callable[[str], object], overwrite: bool = True) -> None:
    """Writes files to a temporary folder, and uploads them in one commit.

    A repository that is not there is created. The folder of a model gets a model card, unless the
    repository has one.

    Args:
        filepath: A path of the hub.
        write: Writes the file, or the folder of a model, to a local path.
        overwrite: Whether files that the repository has can be replaced; otherwise it is an error.

    Raises:
        ModelFileError: The path is malformed, there is such a file already, or the upload failed.
        ImportError: The library `huggingface_hub` is not installed.
    """
    path = _parse(filepath)
    api = huggingface_hub.HfApi(**_LIBRARY)
    if not overwrite:
        _check_free(api, filepath, path)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        target = folder / path.file
        target.parent.mkdir(parents=True, exist_ok=True)
        write(os.fspath(target))
        with _hub_errors(filepath, "upload"):
            api.create_repo(path.repo, exist_ok=True)
            if not path.file and not _exists(api, path, _CARD):
                (folder / _CARD).write_text(_CARD_TEXT.format(repo=path.repo), "utf-8")
            api.upload_folder(
                repo_id=path.repo,
                revision=path.revision,
                folder_path=folder,
                commit_message=f"Save {path.file or 'model'} with Keras",
            )


def _check_free(api: Any, filepath: str, path: _HubPath) -> None:
    with _hub_errors(filepath, "upload"):
        if _exists(api, path, path.file or CONFIG):
            raise ModelFileError(
                f"{filepath}: there is such a file already",
                expected="a new path",
                fix="choose another path, or pass overwrite=True",
            )


def _exists(api: Any, path: _HubPath, file: str) -> bool:
    return api.file_exists(path.repo, file, revision=path.revision)
