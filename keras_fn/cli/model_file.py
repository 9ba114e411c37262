"""A model file as data: its parts, of every format, read without a backend and without layers."""

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from keras_fn.core.naming import to_snake_case
from keras_fn.saving import hugging_face, keras_folder
from keras_fn.saving.archive import CONFIG, OWN_KEY, WEIGHTS, Archive, read_archive
from keras_fn.saving.errors import ModelFileError, model_file_errors
from keras_fn.saving.file_io import open_for_reading
from keras_fn.saving.hdf5.datasets import check_inflation
from keras_fn.saving.hdf5.file import Hdf5File, open_hdf5
from keras_fn.saving.safetensors.safetensors_file import (
    SIGNATURE_BYTES,
    SafetensorsFile,
    is_safetensors,
    open_safetensors,
)
from keras_fn.saving.shards import ShardNaming
from keras_fn.saving.state_dict import torch_shards
from keras_fn.saving.state_dict.torch_checkpoint import StoredTensor, TorchCheckpoint
from keras_fn.saving.strict_json import parse_json

MODEL_FORMATS = ("keras", "folder", "legacy.h5", "json")
"""The formats that hold an architecture. A legacy file may hold weights alone."""

_SHARDS = {
    "weights.json": ShardNaming("_{index:05}.weights.h5", ".weights.h5"),
    "safetensors.index.json": ShardNaming("-{number:05}-of-{count:05}.safetensors", ".safetensors"),
    "bin.index.json": torch_shards.NAMING,
}
_SIGNATURE_BYTES = 128
_TORCH_MEMBER = re.compile(
    rb"^PK.{28}[^/]+/(data\.pkl|\.format_version|version|byteorder)", re.DOTALL
)
_STATE = re.compile(r"(^|/)seed_generator\w*/|seed_generator_state$")
_OPTIMIZER = re.compile(r"(^|/)optimizer(_weights)?/")


class CheckpointSource:
    """The tensors of a `.pt` file, with the methods of the other sources.

    Args:
        checkpoint: The file.

    Attributes:
        name: The name of the file in error messages.
        datasets: The tensors by name. Those in dictionaries have the keys that lead to them in
            front.
    """

    def __init__(self, checkpoint: TorchCheckpoint):
        self._checkpoint, self.name = checkpoint, checkpoint.name
        self.datasets: dict[str, StoredTensor] = {}
        stack, seen = [("", checkpoint.content)], set()
        while stack:
            prefix, value = stack.pop()
            if isinstance(value, StoredTensor):
                self.datasets[prefix] = value
            elif isinstance(value, dict) and id(value) not in seen:
                seen.add(id(value))
                items = [(f"{prefix}/{key}".removeprefix("/"), v) for key, v in value.items()]
                stack += reversed(items)

    def read(self, path: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """Returns a tensor as an array.

        Args:
            path: Its name.
            shape: Its shape.
            dtype: The dtype of the array.
        """
        tensor = self.datasets[path]
        size = tensor.dtype.itemsize
        check_inflation(
            "the tensor declares", math.prod(shape) * size, tensor.storage.length * size
        )
        return self._checkpoint.read(tensor, dtype)


Source = Hdf5File | SafetensorsFile | CheckpointSource


class Tensor(NamedTuple):
    """An array in a file.

    Attributes:
        path: Its name in the file.
        shape: Its shape.
        dtype: The name of its dtype.
        bytes: Its size.
        role: `"weight"`, `"optimizer"`, or `"seed"` for the state of a random number generator.
        layer: The name of its layer, with the models that it is in: `"encoder/conv"`; "" if the
            file does not say it.
        source: The file that it is in.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    role: str
    layer: str
    source: Source

    def read(self) -> np.ndarray:
        """Returns its values."""
        return self.source.read(self.path, self.shape, self.source.datasets[self.path].dtype)


class ModelFile(NamedTuple):
    """The content of a model file.

    Attributes:
        path: Its path.
        format: `"keras"`, `"folder"`, `"legacy.h5"`, `"json"`, `"weights.h5"`, `"weights.json"`,
            `"safetensors"`, `"safetensors.index.json"` or `"pt"`.
        members: The size of each of its parts: members of an archive, files of shards.
        versions: Which programs wrote it.
        metadata: The value of metadata.json, or the texts in a `safetensors` header.
        config: The config of the model, None if the file has none.
        compile_config: The arguments of `compile`, None if the file has none.
        sources: The files with arrays.
        archive: The archive or folder that was read, None for other formats.
    """

    path: str
    format: str
    members: Mapping[str, int]
    versions: Mapping[str, str]
    metadata: Mapping[str, Any]
    config: dict[str, Any] | None
    compile_config: dict[str, Any] | None
    sources: tuple[Source, ...]
    archive: Archive | None = None

    @property
    def is_own(self) -> bool:
        """Whether keras_fn wrote it."""
        return "keras_fn" in self.versions

    def tensors(self) -> list[Tensor]:
        """Returns the arrays in the file."""
        groups = _find_groups(self.config)
        return [
            _describe(source, path, groups) for source in self.sources for path in source.datasets
        ]


def find_format(path: str) -> str:
    """Returns the format of a file or folder, by its content.

    Args:
        path: Its path.

    Raises:
        ModelFileError: The format is unknown.
        OSError: It cannot be read.
    """
    if os.path.isdir(path):
        if keras_folder.is_model_folder(path):
            return "folder"
        raise _unknown(path, f"a folder without {CONFIG}")
    with open_for_reading(path) as file:
        start = file.read(_SIGNATURE_BYTES)
        if start.startswith(b"PK\3\4"):
            return "pt" if _TORCH_MEMBER.search(start) else "keras"
        if start.startswith(b"\x89HDF"):
            return "legacy.h5" if _is_legacy(file) else "weights.h5"
        if is_safetensors(start[:SIGNATURE_BYTES]):
            return "safetensors"
        if not start.lstrip().startswith(b"{"):
            raise _unknown(path, repr(start[:8]))
        file.seek(0)
        with model_file_errors(path):
            value = parse_json(file.read())
    if "weight_map" not in value:
        return "json"
    names = list(value["weight_map"].values()) if isinstance(value["weight_map"], dict) else []
    first = str(names[:1]).rstrip("]'\"")
    found = (form for form, naming in _SHARDS.items() if first.endswith(naming.ending))
    return next(found, "weights.json")


@contextlib.contextmanager
def open_model_file(path: str) -> Iterator[ModelFile]:
    """Context manager that reads the parts of a file. Arrays are read later, one by one.

    Args:
        path: The path of a file or folder, or a path `hf://` of the Hugging Face Hub.

    Raises:
        ModelFileError: It is malformed.
        OSError: It cannot be read.
    """
    links_within = None
    if hugging_face.is_hub_path(path):
        path, links_within = hugging_face.download(path)
    form = find_format(path)
    with contextlib.ExitStack() as stack:
        if form == "folder":
            folder = keras_folder.open_folder(path, links_within)
            yield _of_archive(path, form, stack.enter_context(folder))
            return
        file = stack.enter_context(open_for_reading(path))
        if form == "keras":
            yield _of_archive(path, form, read_archive(file))
        elif form in _SHARDS:
            yield _of_shards(path, form, file, stack)
        elif form == "json":
            with model_file_errors(path):
                config = parse_json(file.read())
            members = {os.path.basename(path): os.path.getsize(path)}
            yield _model(path, form, members, {}, {}, config, ())
        elif form == "safetensors":
            source = open_safetensors(file)
            versions = _versions_of_safetensors([source])
            members = {os.path.basename(path): os.path.getsize(path)}
            yield _model(path, form, members, versions, source.metadata, None, (source,))
        elif form == "pt":
            source = CheckpointSource(TorchCheckpoint(file))
            members = {os.path.basename(path): os.path.getsize(path)}
            yield _model(path, form, members, {"torch": "yes"}, {}, None, (source,))
        else:
            yield _of_hdf5(path, form, open_hdf5(file))


def _model(
    path: str,
    form: str,
    members: Mapping[str, int],
    versions: Mapping[str, str],
    metadata: Mapping[str, Any],
    config: Any,
    sources: tuple[Source, ...],
    compile_config: Any = None,
    archive: Archive | None = None,
) -> ModelFile:
    is_named = isinstance(config, dict) and isinstance(config.get("class_name"), str)
    if config is not None and not is_named:
        raise ModelFileError(
            f"{path}: the config is not the config of a model",
            expected="a JSON object with class_name and config",
            received=f"a {type(config).__name__} without them",
            fix="the file is damaged, or is of another kind",
        )
    if compile_config is None and config is not None:
        compile_config = config.get("compile_config")
    compiled = compile_config if isinstance(compile_config, dict) and compile_config else None
    return ModelFile(path, form, members, versions, metadata, config, compiled, sources, archive)


def _of_archive(path: str, form: str, archive: Archive) -> ModelFile:
    own = archive.metadata.get(OWN_KEY)
    versions = {
        "keras": archive.metadata.get("keras_version"),
        "keras_fn": own.get("version") if isinstance(own, dict) else None,
        "saved": archive.metadata.get("date_saved"),
    }
    source = open_hdf5(archive.weights, name=archive.weights_name)
    members = {CONFIG: len(archive.config), WEIGHTS: archive.weights.seek(0, os.SEEK_END)}
    members |= {f"assets/{name}": len(content) for name, content in archive.assets.items()}
    return _model(
        path, form, members, {k: str(v) for k, v in versions.items() if v is not None},
        archive.metadata, archive.parse_config(), (source,), archive=archive,
    )  # fmt: skip


def _of_hdf5(path: str, form: str, source: Hdf5File) -> ModelFile:
    texts = {
        name: source.attribute("", name)
        for name in ("keras_version", "backend", "model_config", "training_config")
    }
    parsed = {}
    for name in ("model_config", "training_config"):
        if isinstance(text := texts[name], str):
            with model_file_errors(path, name):
                parsed[name] = parse_json(text.encode())
    versions = {"keras": texts["keras_version"], "backend": texts["backend"]}
    found = {k: v for k, v in versions.items() if isinstance(v, str)}
    if source.is_own:
        found["keras_fn"] = "yes"
    members = {os.path.basename(path): os.path.getsize(path)}
    config, training = parsed.get("model_config"), parsed.get("training_config")
    return _model(path, form, members, found, {}, config, (source,), training)


def _of_shards(path: str, form: str, file: BinaryIO, stack: contextlib.ExitStack) -> ModelFile:
    with model_file_errors(path):
        index = parse_json(file.read())
        names = _SHARDS[form].names_in(index)
    members = {os.path.basename(path): os.path.getsize(path)}
    sources: list[Source] = []
    for name in names:
        shard = Path(path).with_name(name)
        opened = stack.enter_context(open_for_reading(shard))
        sources.append(_OPEN_SHARD[form](opened))
        members[name] = shard.stat().st_size
    own = any(isinstance(source, Hdf5File) and source.is_own for source in sources)
    versions = {"keras_fn": "yes"} if own else _versions_of_safetensors(sources)
    metadata = index.get("metadata")
    return _model(
        path, form, members, versions, metadata if isinstance(metadata, dict) else {}, None,
        tuple(sources),
    )  # fmt: skip


_OPEN_SHARD: dict[str, Callable[[BinaryIO], Source]] = {
    "weights.json": open_hdf5,
    "safetensors.index.json": open_safetensors,
    "bin.index.json": lambda file: CheckpointSource(TorchCheckpoint(file)),
}


def _versions_of_safetensors(sources: list[Any]) -> dict[str, str]:
    programs = {s.metadata.get("format") for s in sources if isinstance(s, SafetensorsFile)}
    return {str(program): "yes" for program in programs if program}


def _describe(source: Source, path: str, groups: Mapping[str, "_Group"]) -> Tensor:
    info = source.datasets[path]
    size = math.prod(info.shape) * info.dtype.itemsize
    role = "seed" if _STATE.search(path) else "weight"
    role = "optimizer" if _OPTIMIZER.search(path) else role
    layer = _layer_of(source, path, groups) if isinstance(source, Hdf5File) else ""
    return Tensor(path, info.shape, info.dtype.name, size, role, layer, source)


def _layer_of(source: Hdf5File, path: str, groups: Mapping[str, "_Group"]) -> str:
    """Returns the path of names to the layer that an array belongs to, if the file says it."""
    parts = path.split("/")
    if parts[0] == "model_weights" and len(parts) > 2:
        return parts[1]
    names, prefix = [], ""
    while len(parts) > 2 and parts[0] in ("layers", "_layer_checkpoint_dependencies"):
        prefix += f"{parts[0]}/{parts[1]}/"
        group = groups.get(parts[1], _Group("", {}))
        name = _name_attribute(source, f"{prefix}vars") or group.name
        if not name:
            break
        names.append(name)
        groups, parts = group.groups, parts[2:]
    return "/".join(names)


def _name_attribute(source: Hdf5File, group: str) -> str:
    """Returns the name of the layer of a group, "" if the file does not say it."""
    if group in source.groups and "name" in source.attribute_names(group):
        name = source.attribute(group, "name")
        return name if isinstance(name, str) else ""
    return ""


class _Group(NamedTuple):
    """The HDF5 group of a layer: its name, and the groups of the layers in it."""

    name: str
    groups: Mapping[str, "_Group"]


def _find_groups(config: Any) -> dict[str, _Group]:
    """Returns the groups of the layers of a model: class names, numbered in order."""
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else None
    groups: dict[str, _Group] = {}
    used: dict[str, int] = {}
    for entry in layers if isinstance(layers, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("config"), dict):
            group = to_snake_case(str(entry.get("class_name")))
            count = used[group] = used.get(group, -1) + 1
            name = str(entry["config"].get("name"))
            groups[f"{group}_{count}" if count else group] = _Group(name, _find_groups(entry))
    return groups


def _is_legacy(file: BinaryIO) -> bool:
    h5 = open_hdf5(file, verify=False)
    file.seek(0)
    named = any(
        name.startswith("layer_names")
        for group in ("", "model_weights")
        if group in h5.groups
        for name in h5.attribute_names(group)
    )
    return named or "model_config" in h5.attribute_names("")


def _unknown(path: str, received: str) -> ModelFileError:
    return ModelFileError(
        f"{path}: not a file of a model or of weights",
        expected="a .keras, .h5, .weights.h5, .json, .safetensors, .pt file, or a folder of save()",
        received=received,
        fix="the file is damaged, or is of another kind",
    )
