"""The formats that are fuzzed: valid files of each, how they are mutated, and how they are read."""

import contextlib
import io
import json
import os
import random
import shutil
import tarfile
import wave
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import keras_fn as keras
from keras_fn.cli import inspect_command, verify_command
from keras_fn.cli.model_file import open_model_file
from keras_fn.errors import SpecError
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.utils.archive_utils import extract_archive
from keras_fn.utils.wav import read_wav
from tests.saving.fuzz_mutations import (
    NAMES,
    SECRET,
    json_bytes,
    mutate_bytes,
    mutate_hdf5,
    mutate_safetensors,
    mutate_zip,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_files"
MODEL_FILE_ERRORS = (ModelFileError, ModelFileTypeError)
Mutation = Callable[[bytes, random.Random, bytes], bytes]


class Sample(NamedTuple):
    """A valid file, or a folder of them, and the model whose weights it has."""

    files: Mapping[str, bytes]
    model: Any = None


class Format(NamedTuple):
    """A format.

    Attributes:
        samples: Valid files.
        mutations: How to mutate a file, by its name or suffix.
        read: Reads the path of a file or folder, as a user would.
        errors: The documented errors of reading one.
        weight: How often it is drawn.
        is_inspected: Whether the command `keras-fn` reads it, too.
    """

    samples: Sequence[Sample]
    mutations: Mapping[str, Mutation]
    read: Callable[[Path, Any, random.Random], object]
    errors: tuple[type[Exception], ...] = MODEL_FILE_ERRORS
    weight: int = 1
    is_inspected: bool = True


# ---------------------------------------------------------------- mutations


def _json(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return json_bytes(json.loads(data), rng, other)


_MEMBERS: dict[str, Mutation] = {
    "config.json": _json,
    "metadata.json": _json,
    "model.weights.h5": mutate_hdf5,
}


def _keras(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return mutate_zip(data, rng, other, _MEMBERS)


def _torch(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return mutate_zip(data, rng, other, {"m/data.pkl": mutate_bytes})


def write_mutated(
    form: Format, sample: Sample, other: Sample, rng: random.Random, folder: Path
) -> Path:
    """Writes a mutated sample to an empty folder and returns its path.

    Args:
        form: Its format.
        sample: A valid file or folder.
        other: Another one, for splices.
        rng: Decides.
        folder: Where it is written to.
    """
    names = sorted(sample.files)
    contents = {name: sample.files[name] for name in names}
    chosen = rng.choice(names)
    if len(names) > 1 and rng.random() < 0.15:
        _change_files(contents, chosen, rng)
    else:
        mutate = next(m for suffix, m in form.mutations.items() if chosen.endswith(suffix))
        contents[chosen] = mutate(contents[chosen], rng, rng.choice(list(other.files.values())))
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if len(names) > 1 and rng.random() < 0.05:
        _replace_by_special(folder / chosen, rng)
    return folder / names[0].partition("/")[0]


def _change_files(contents: dict[str, bytes], chosen: str, rng: random.Random) -> None:
    parent, _, _ = chosen.rpartition("/")
    content = contents.pop(chosen) if rng.random() < 0.6 else contents[chosen]
    plain = [n for n in NAMES if ".." not in n and "\0" not in n and len(n) < 200]
    name = rng.choice([n for n in plain if n.startswith("assets/a") or "/" not in n])
    if rng.random() < 0.7 and parent:
        contents[f"{parent}/{name}"] = content


def _replace_by_special(path: Path, rng: random.Random) -> None:
    """Replaces a file by a link to another one, a pipe, or a folder."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    kind = rng.randrange(4)
    if kind == 0:
        os.symlink(Path.cwd() / SECRET, path)
    elif kind == 1:
        os.symlink(path, path)
    elif kind == 2:
        os.mkfifo(path)
    else:
        path.mkdir()


# ---------------------------------------------------------------- reading


def _load_model(path: Path, model: Any, rng: random.Random) -> None:
    keras.models.load_model(path, compile=rng.random() < 0.8)


def _load_weights(path: Path, model: Any, rng: random.Random, **options: Any) -> None:
    """Loads weights; after an error, the model must be as it was."""
    before = [v.numpy().copy() for v in model.weights]
    try:
        model.load_weights(path, skip_mismatch=rng.random() < 0.3, **options)
    except MODEL_FILE_ERRORS:
        for value, variable in zip(before, model.weights, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
        raise


def _load_state_dict(path: Path, model: Any, rng: random.Random) -> None:
    """Loads a state dict by the names of the weights; after an error, the model is as it was."""
    before = [v.numpy().copy() for v in model.weights]
    try:
        keras.saving.load_state_dict(model, path, strict=rng.random() < 0.7)
    except MODEL_FILE_ERRORS:
        for value, variable in zip(before, model.weights, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
        raise


def _load_legacy(path: Path, model: Any, rng: random.Random) -> None:
    if rng.random() < 0.6:
        _load_model(path, model, rng)
    else:
        _load_weights(path, model, rng, by_name=rng.random() < 0.3)


def _load_index(path: Path, model: Any, rng: random.Random) -> None:
    _load_weights(path.with_name("m.safetensors.index.json"), model, rng)


def _load_keras(path: Path, model: Any, rng: random.Random) -> None:
    if rng.random() < 0.9 or model is None:
        _load_model(path, model, rng)
    else:
        _load_weights(path, model, rng)


def _load_json(path: Path, model: Any, rng: random.Random) -> None:
    keras.models.model_from_json(path.read_bytes())


def inspect_and_verify(path: Path) -> None:
    """Reads a file as the commands `keras-fn inspect` and `keras-fn verify` do."""
    for check in verify_command.verify(str(path)):
        assert check.problem is None or isinstance(check.problem, MODEL_FILE_ERRORS)
    with open_model_file(str(path)) as file:
        json.dumps(inspect_command.to_json(file, file.tensors()))


def _extract(path: Path, model: Any, rng: random.Random) -> None:
    extract_archive(path, path.with_name("extracted"), replace=False)


def _read_wav(path: Path, model: Any, rng: random.Random) -> None:
    samples, _ = read_wav(str(path))
    assert samples.ndim == 2 and samples.dtype == np.float32


# ---------------------------------------------------------------- valid files


def _graph() -> Any:
    layers = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, activation="relu", kernel_regularizer="l2", name="shared")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    hidden = layers.Concatenate()([inner(shared(a)), shared(b) + 1.0, a[:, 1:3]])
    outputs = {"y": layers.Dense(1, name="y")(hidden), "z": keras.ops.softmax(hidden, axis=-1)}
    model = keras.Model([a, b], outputs, name="graph")
    model.compile("adam", {"y": "mse", "z": None}, metrics={"y": ["mae"]})
    model.optimizer.build(model.trainable_variables)
    return model


def _stack() -> Any:
    layers = keras.layers
    stack = [
        keras.Input((6,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)), layers.Dropout(0.1, seed=1),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2, "softmax", kernel_initializer=keras.initializers.HeNormal(seed=1)),
    ]  # fmt: skip
    model = keras.Sequential(stack, name="stack")
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(keras.optimizers.SGD(schedule), "mse", metrics=["accuracy"])
    return model


def _images() -> Any:
    layers = keras.layers
    x = keras.Input((6, 6, 2), name="image")
    h = layers.Conv2D(2, 3, padding="same", dtype="mixed_float16")(layers.Rescaling(2.0)(x))
    h = layers.LayerNormalization()(layers.MaxPooling2D()(h))
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(h)), name="images")


def _text() -> Any:
    """Preprocessing layers, which have tables and statistics in their configs."""
    layers = keras.layers
    text, size = keras.Input((), dtype="string", name="text"), keras.Input((2,), name="size")
    words = layers.TextVectorization(output_sequence_length=3, vocabulary=["a", "b"])(text)
    words = layers.Flatten()(layers.Embedding(4, 2)(words))
    sizes = layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 4.0])(size)
    bins = layers.CategoryEncoding(4, "count")(layers.Discretization([0.0, 1.0, 2.0])(size))
    hidden = layers.Concatenate()([words, sizes, bins])
    return keras.Model([text, size], layers.Dense(1)(hidden), name="text")


def _quantized() -> Any:
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(2)], name="small")
    model.quantize("int8")
    model.layers[0].enable_lora(1)
    return model


def _saved(folder: Path, name: str, save: Callable[[Path], object]) -> dict[str, bytes]:
    """Returns the files that `save` writes, by their paths in a folder."""
    home = folder / f"sample_{len(os.listdir(folder))}"
    home.mkdir()
    save(home / name)
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def checkpoint_bytes(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Returns a `.pt` file, as `torch.save` writes it for a dictionary of float32 tensors."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def numbers(*values: int) -> bytes:
        return b"(" + b"".join(b"M" + n.to_bytes(2, "little") for n in values) + b"t"

    ordered_dict = b"ccollections\nOrderedDict\n)R"
    pickle, members = [b"\x80\x02", ordered_dict, b"q\x00("], {"version": b"3\n"}
    for i, (name, array) in enumerate(tensors.items()):
        strides = numbers(*(n // array.itemsize for n in array.strides))
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(f"{i}") + text("cpu")
        storage += b"M" + array.size.to_bytes(2, "little") + b"tQ"
        pickle += [text(name), b"ctorch._utils\n_rebuild_tensor_v2\n(", storage, b"K\x00"]
        pickle += [numbers(*array.shape), strides, b"\x89", ordered_dict, b"tR"]
        members[f"data/{i}"] = array.tobytes()
    members = {"data.pkl": b"".join([*pickle, b"u."]), "byteorder": b"little", **members}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"m/{name}", (1980, 1, 1, 0, 0, 0)), content)
    return file.getvalue()


def _checkpoints(models: Sequence[Any]) -> list[Sample]:
    return [
        Sample(
            {"m.pt": checkpoint_bytes({w.path: w.numpy().astype("float32") for w in m.weights})}, m
        )
        for m in models
    ]


def _archive(kind: str) -> bytes:
    file = io.BytesIO()
    members = {"data/a.txt": b"some text" * 40, "data/b/c.bin": bytes(range(256)), "d.txt": b""}
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w" + kind, format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name + "é" * 60)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _wav(width: int, channels: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(8000)
        sound.writeframes(bytes(range(240)))
    return file.getvalue()


def make_formats(folder: Path) -> dict[str, Format]:
    """Returns the formats, with valid files of each.

    Args:
        folder: An empty folder, for the files.
    """
    models = [_graph(), _stack(), _images(), _text(), _quantized()]

    def saved(name: str, method: str = "save", **options: Any) -> list[Sample]:
        return [
            Sample(_saved(folder, name, lambda p, m=m: getattr(m, method)(p, **options)), m)
            for m in models
        ]

    def fixtures(suffix: str) -> list[Sample]:
        names = ("mlp", "lstm", "ticket")
        return [Sample({f"m{suffix}": (FIXTURES / f"{n}{suffix}").read_bytes()}) for n in names]

    def archives(suffix: str, *kinds: str) -> list[Sample]:
        return [Sample({f"a{suffix}": _archive(kind)}) for kind in kinds]

    structures = [Sample({"m.json": model.to_json().encode()}) for model in models]
    sounds = [Sample({"a.wav": _wav(*layout)}) for layout in ((1, 1), (2, 2), (3, 1), (4, 2))]
    with_files = (*MODEL_FILE_ERRORS, OSError)
    h5, weights = {".h5": mutate_hdf5}, "m.weights.h5"
    return {
        "keras": Format(
            saved("m.keras") + fixtures(".keras"), {"": _keras}, _load_keras, weight=8
        ),
        "json": Format(structures, {"": _json}, _load_json, weight=6),
        "weights.h5": Format(saved(weights, "save_weights"), h5, _load_weights, weight=4),
        "weights.json": Format(
            saved("m.weights.json", "save_weights", max_shard_size=3e-7),
            {**h5, ".json": _json}, _load_weights, with_files, weight=3,
        ),
        "safetensors": Format(
            saved("m.safetensors", "save_weights"),
            {"": mutate_safetensors}, _load_weights, weight=4,
        ),
        "safetensors.index.json": Format(
            saved("m.safetensors.index.json", "save_weights", max_shard_size=3e-7),
            {".json": _json, "": mutate_safetensors}, _load_index, with_files, weight=3,
        ),
        "pt": Format(
            _checkpoints(models[:1]), {"": _torch}, _load_state_dict, weight=4
        ),
        "folder": Format(
            saved("folder", zipped=False), _MEMBERS, _load_keras, with_files, weight=5
        ),
        "legacy.h5": Format(saved("m.h5"), h5, _load_legacy, weight=6),
        "legacy.h5 of Keras": Format(fixtures(".h5"), h5, _load_model, weight=2),
        "zip": Format(
            archives(".zip", "zip"), {"": mutate_zip}, _extract, (SpecError,), is_inspected=False
        ),
        "tar": Format(
            archives(".tar", "", ":gz", ":bz2", ":xz"), {"": mutate_bytes}, _extract,
            (SpecError,), is_inspected=False,
        ),
        "wav": Format(
            sounds, {"": mutate_bytes}, _read_wav, (SpecError,), is_inspected=False
        ),
    }  # fmt: skip


def clear(folder: Path) -> None:
    """Removes what is in a folder."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
