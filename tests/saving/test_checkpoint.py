"""Sharded checkpoints: what is written, what is read, and what is refused."""

import copy
import json
import os
import random
import zlib

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.distribution import processes as processes_module
from keras_fn.saving.checkpoint import checkpoint_writer
from keras_fn.saving.checkpoint.checkpoint_index import decode_index
from keras_fn.saving.checkpoint.checkpoint_reader import open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import (
    OwnedSlices,
    find_owned_slices,
    own_array,
    write_whole,
)
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.file_io import path_aside

WHOLE = np.arange(8 * 6, dtype="float32").reshape(8, 6)


def grid(array: np.ndarray, rows: int, columns: int) -> OwnedSlices:
    """Returns an array in parts."""
    sizes = array.shape[0] // rows, array.shape[1] // columns
    starts = [(i * sizes[0], j * sizes[1]) for i in range(rows) for j in range(columns)]
    parts = [(s, array[s[0] : s[0] + sizes[0], s[1] : s[1] + sizes[1]]) for s in starts]
    return OwnedSlices(array.shape, array.dtype, parts)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "PIECE_BYTES", 40)  # one row
    path = tmp_path / "run.checkpoint"
    variables = {
        "a": grid(WHOLE, 2, 3),
        "scalar": own_array(np.array(7, "int64")),
        "flags": own_array(np.array([True, False])),
        "empty": own_array(np.zeros((0, 3), "float32")),
    }
    write_whole(path, lambda: (variables, {"epoch": 3, "loss": float("inf")}), "test")
    return path


@pytest.mark.parametrize(
    "index", [(), (slice(1, 5),), (slice(None), slice(3, 4)), (slice(2, 3), slice(1, 6))]
)
def test_any_slice_can_be_read(folder, index):
    with open_checkpoint(folder) as checkpoint:
        assert checkpoint.state == {"epoch": 3, "loss": float("inf")}
        values = checkpoint.read_slice("a", index, (8, 6), np.float32)
        np.testing.assert_array_equal(values, WHOLE[index])
        assert checkpoint.read("scalar", (), np.int64) == 7
        assert checkpoint.read("flags", (2,), bool).tolist() == [True, False]
        assert checkpoint.read("empty", (0, 3), np.float32).shape == (0, 3)
        checkpoint.verify()


def test_only_the_slices_that_are_needed_are_read(folder):
    name = folder / "process-00000-of-00001.bin"
    content = bytearray(name.read_bytes())
    content[-1] ^= 2  # of `flags`, the last variable but for the empty one
    name.write_bytes(content)
    with open_checkpoint(folder) as checkpoint:
        np.testing.assert_array_equal(checkpoint.read("a", (8, 6), np.float32), WHOLE)
        for read in (checkpoint.verify, lambda: checkpoint.read("flags", (2,), bool)):
            with pytest.raises(ModelFileError, match=r"flags.*CRC-32 differs"):
                read()


def test_another_shape_or_dtype_is_an_error(folder):
    with open_checkpoint(folder) as checkpoint:
        for name, shape, dtype in (("a", (6, 8), "f4"), ("a", (8, 6), "i4"), ("b", (8, 6), "f4")):
            with pytest.raises(ModelFileError, match="is another one"):
                checkpoint.read(name, shape, dtype)


def test_the_files_are_checked(folder, tmp_path):
    name = folder / "process-00000-of-00001.bin"
    content = name.read_bytes()
    name.write_bytes(content + b"x")
    with pytest.raises(ModelFileError, match="size"), open_checkpoint(folder):
        pass
    (tmp_path / "other").write_bytes(content)
    name.unlink()
    name.symlink_to(tmp_path / "other")
    with pytest.raises(ModelFileError, match="not a regular file"), open_checkpoint(folder):
        pass
    name.unlink()
    with pytest.raises(FileNotFoundError), open_checkpoint(folder):
        pass


def test_a_folder_of_other_files_is_not_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds notes\.txt"):
        write_whole(tmp_path, lambda: ({}, None), "test")
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_a_write_that_fails_leaves_the_old_checkpoint(folder):
    before = sorted(os.listdir(folder.parent))

    def fail():
        raise MemoryError("there is none")

    with pytest.raises(MemoryError):
        write_whole(folder, fail, "test")
    gap = grid(WHOLE, 2, 3)._replace(slices=grid(WHOLE, 2, 3).slices[1:])
    with pytest.raises(ModelFileError, match="missing or overlap"):
        write_whole(folder, lambda: ({"a": gap}, None), "test")
    assert sorted(os.listdir(folder.parent)) == before
    with open_checkpoint(folder) as checkpoint:
        checkpoint.verify()


def test_an_old_checkpoint_that_a_killed_write_left_aside_is_replaced(folder):
    os.rename(folder, path_aside(folder))  # as where two folders cannot be exchanged in one step
    with open_checkpoint(folder) as checkpoint:
        assert checkpoint.state["epoch"] == 3
    write_whole(folder, lambda: ({"a": own_array(-WHOLE)}, {"epoch": 4}), "test")
    assert sorted(os.listdir(folder.parent)) == [folder.name]
    with open_checkpoint(folder) as checkpoint:
        assert checkpoint.state == {"epoch": 4}
        np.testing.assert_array_equal(checkpoint.read("a", (8, 6), np.float32), -WHOLE)


def test_an_error_of_another_process_is_an_error(tmp_path, monkeypatch):
    processes = processes_module.processes
    monkeypatch.setattr(processes, "timeout", 1.0)
    monkeypatch.setattr(processes, "count", 2)

    def exchange(name: str, text: str, timeout: float) -> list[str]:
        if name.startswith("checkpoint"):
            table = {"error": "OSError: disk full", "size": 0, "slices": []}
            (tmp_path / text / "table-00001.json").write_text(json.dumps(table))
        return [text, ""]

    monkeypatch.setattr(processes_module, "_exchange", exchange)
    with pytest.raises(RuntimeError, match="process 1 could not write its own: OSError: disk full"):
        write_whole(tmp_path / "run", lambda: ({"a": grid(WHOLE, 2, 3)}, None), "test")
    assert os.listdir(tmp_path) == []


def test_an_error_of_process_0_before_it_writes_reaches_the_others(tmp_path, monkeypatch):
    processes, sent = processes_module.processes, []
    monkeypatch.setattr(processes, "timeout", 1.0)
    monkeypatch.setattr(processes, "count", 2)

    def exchange(name: str, text: str, timeout: float) -> list[str]:
        sent.append((name.partition(" ")[0], text))
        return [text, ""] if processes.index == 0 else ["", text]

    monkeypatch.setattr(processes_module, "_exchange", exchange)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds notes\.txt"):
        write_whole(tmp_path, lambda: ({}, None), "test")
    assert ("checkpoint", "") in sent
    monkeypatch.setattr(processes, "index", 1)
    with pytest.raises(RuntimeError, match="which process 0 creates"):
        write_whole(tmp_path, lambda: ({}, None), "test")


def test_an_error_while_values_are_collected_reaches_the_others(tmp_path, monkeypatch):
    processes, sent = processes_module.processes, []
    monkeypatch.setattr(processes, "timeout", 1.0)
    monkeypatch.setattr(processes, "count", 2)
    monkeypatch.setattr(processes, "index", 1)

    def exchange(name: str, text: str, timeout: float) -> list[str]:
        sent.append((name.partition(" ")[0], text))
        return [str(tmp_path) if name.startswith("checkpoint") else "", text]

    def fail():
        raise MemoryError("there is none")

    monkeypatch.setattr(processes_module, "_exchange", exchange)
    with pytest.raises(MemoryError):
        write_whole(tmp_path / "run", fail, "test")
    assert sent[2] == ("agreement", "MemoryError: there is none")


def test_a_variable_without_elements_keeps_its_dtype(monkeypatch):
    monkeypatch.setattr(processes_module.processes, "count", 2)  # which take turns
    empty = keras.Variable(np.zeros((0, 3)), dtype="int32")
    owned = find_owned_slices({"a": empty, "b": empty})
    assert [len(v.slices) for v in owned.values()] == [1, 0]
    assert [v.dtype for v in owned.values()] == [np.int32] * 2


# ------------------------------------------------------------------------------------ the index


def signed(value: dict) -> bytes:
    value = {k: v for k, v in value.items() if k != "crc32"}
    text = json.dumps(value, separators=(",", ":")).encode()[:-1]
    return text + b',"crc32":"%08x"}' % zlib.crc32(text)


def change(value: dict, *path: object, to: object) -> bytes:
    changed = copy.deepcopy(value)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = to
    return signed(changed)


WRONG = {
    "another version": (("version",), 2, "version"),
    "another format": (("format",), "pickle", "not the index"),
    "no files": (("files",), [], "no list"),
    "a negative size": (("files", 0), -1, "not a size"),
    "a longer file": (("files", 0), 10**6, "end where"),
    "an unknown dtype": (("variables", "a", "dtype"), "object", "dtype is unknown"),
    "another dtype": (("variables", "a", "dtype"), "float64", "gaps"),
    "another shape": (("variables", "a", "shape"), [8, 7], "gaps"),
    "a rank": (("variables", "a", "shape"), [48], "inside of its variable"),
    "a huge shape": (("variables", "empty", "shape"), [2**62, 2**62], "missing or overlap"),
    "an endless number of axes": (("variables", "empty", "shape"), [0] * 40, "not a shape"),
    "no slices": (("variables", "a", "slices"), [], "missing or overlap"),
    "a short slice": (("variables", "a", "slices", 0), [0, 0], "not a slice"),
    "another file": (("variables", "a", "slices", 0, 0), 1, "number of a file"),
    "a path as file": (("variables", "a", "slices", 0, 0), "/etc/passwd", "number of a file"),
    "an offset": (("variables", "a", "slices", 0, 1), 4, "overlap or leave gaps"),
    "a start": (("variables", "a", "slices", 0, 2), [0, 1], "overlap|missing"),
    "a double start": (("variables", "a", "slices", 1, 2), [0, 0], "same element"),
    "a stop": (("variables", "a", "slices", 0, 3), [1, 9], "inside of its variable"),
    "an empty slice": (("variables", "a", "slices", 0, 3), [0, 0], "inside of its variable"),
    "a checksum": (("variables", "a", "slices", 0, 4), "x", "checksum"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_index_is_an_error(folder, name):
    path, to, match = WRONG[name]
    value = json.loads((folder / "index.json").read_bytes())
    with pytest.raises(ModelFileError, match=match):
        decode_index(change(value, *path, to=to))


def test_a_damaged_index_is_an_error(folder):
    content = (folder / "index.json").read_bytes()
    for damaged in (content[:-1], b"", content.replace(b'"epoch"', b'"epoc_"'), content + b" "):
        with pytest.raises(ModelFileError, match="CRC-32"):
            decode_index(damaged)


def test_random_changes_of_the_index_cause_documented_errors_alone(folder):
    original = (folder / "index.json").read_bytes()
    rng = random.Random(0)
    values = [None, -1, 0, 1, 2**70, 0.5, "x", [], {}, [0], True]
    for _ in range(150):
        value = json.loads(original)
        target = value
        while True:
            keys = list(target) if isinstance(target, dict) else range(len(target))
            key = rng.choice(list(keys))
            inner = target[key]
            if not isinstance(inner, (dict, list)) or not inner or rng.random() < 0.2:
                target[key] = rng.choice(values)
                break
            target = inner
        (folder / "index.json").write_bytes(signed(value))
        try:
            with open_checkpoint(folder) as checkpoint:
                checkpoint.verify()
        except ModelFileError:
            continue
        assert value["files"] == json.loads(original)["files"]
