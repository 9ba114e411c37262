"""`.keras` archives: Keras's are read, one byte of ambiguity is refused."""

import dataclasses
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hdf5_files import hdf5_bytes
from hypothesis import HealthCheck, given, settings, strategies as st

from keras_fn.saving.archive import read_archive, write_archive
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.limits import limits

FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_files"
NAMES = ["autoencoder_nested", "cnn_bn", "lstm", "mlp", "ticket", "toy_resnet"]
METADATA = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'
WEIGHTS = bytes(hdf5_bytes({"layers/dense/vars/0": np.arange(60, dtype="float32")}))
CONFIG = b'{"class_name": "Sequential"}'


def archive_bytes(**changes: bytes | None) -> bytes:
    """Returns an archive as Keras writes it, with members changed, added or (None) left out."""
    members = {
        "metadata.json": METADATA,
        "config.json": CONFIG,
        "model.weights.h5": WEIGHTS,
        **changes,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def own_archive() -> bytes:
    buffer = io.BytesIO()
    write_archive(
        buffer,
        {"config.json": CONFIG, "model.weights.h5": WEIGHTS, "assets/layers/a/v.txt": b"a\nb"},
    )
    return buffer.getvalue()


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def central(data: bytes, name: bytes) -> int:
    """Returns where the central header of a member starts."""
    return data.rindex(name) - 46


def in_both_headers(data: bytes, name: bytes, local: int, new: bytes) -> bytes:
    """Changes a field of a member in both headers; the central one has it two bytes later."""
    return patched(
        patched(data, data.index(name) - 30 + local, new), central(data, name) + local + 2, new
    )


@pytest.mark.parametrize("name", NAMES)
def test_archives_of_keras_are_read(name, watchdog):
    path = FIXTURES / f"{name}.keras"
    assert watchdog.accepts("archive", path)
    with open(path, "rb") as file, zipfile.ZipFile(path) as reference:
        archive = read_archive(file)
        assert archive.config == reference.read("config.json")
        assert archive.weights.read() == reference.read("model.weights.h5")
        assert archive.metadata["keras_version"] == "3.15.1"


def test_what_we_write_is_read_and_verified():
    archive = read_archive(io.BytesIO(own_archive()))
    assert (archive.config, archive.weights.read()) == (CONFIG, WEIGHTS)
    assert archive.assets == {"layers/a/v.txt": b"a\nb"}


def test_the_same_content_gives_the_same_bytes():
    assert own_archive() == own_archive()


def test_deflated_members_are_read(watchdog, tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("metadata.json", METADATA),
            ("config.json", CONFIG),
            ("model.weights.h5", WEIGHTS),
        ):
            archive.writestr(name, data)
    assert watchdog.accepts("archive", path) == ["layers/dense/vars/0"]


def test_archives_over_four_gigabytes_are_read(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)  # writes every size in its 64-bit form
    data = archive_bytes()
    assert b"PK\x06\x06" in data
    assert read_archive(io.BytesIO(data)).weights.read() == WEIGHTS


@pytest.mark.parametrize(
    "members",
    [
        {"config.json": b"{}"},
        {"config.json": b"{}", "model.weights.h5": b"", "metadata.json": b"{}"},
        {"config.json": b"{}", "model.weights.h5": b"", "assets/../x": b""},
        {"config.json": b"{", "model.weights.h5": b""},
        {"config.json": b"{}", "model.weights.h5": b"", "assets" + 5 * f"/{'x' * 250}": b""},
    ],
)
def test_what_cannot_be_read_is_not_written(members):
    with pytest.raises(ModelFileError):
        write_archive(io.BytesIO(), members)


def _bomb(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", METADATA)
        archive.writestr("config.json", CONFIG)
        archive.writestr("model.weights.h5", bytes(size))
    return buffer.getvalue()


def _lying_bomb() -> bytes:
    """A deflated member that becomes much more than the size in both of its headers."""
    data, name = _bomb(100 << 20), b"model.weights.h5"
    small = struct.pack("<L", 90 << 10)
    return in_both_headers(data, name, 22, small)


def _overlap() -> bytes:
    """Two central headers for the bytes of one member."""
    data = archive_bytes(**{"assets/b": b"x" * 11})
    first = struct.unpack_from("<L", data, central(data, b"config.json") + 42)
    return patched(data, central(data, b"assets/b") + 42, struct.pack("<L", *first))


def _duplicate() -> bytes:
    return archive_bytes(**{"assets/a": b"1", "assets/b": b"1"}).replace(b"assets/b", b"assets/a")


def _gap() -> bytes:
    data = archive_bytes()
    start, end = data.index(b"PK\x01\x02"), len(data) - 22
    offset = struct.pack("<L", start + 4)
    return data[:start] + b"junk" + patched(data, end + 16, offset)[start:]


def _commented() -> bytes:
    data = archive_bytes()
    return data[:-2] + b"\x04\x00junk"


def _many() -> bytes:
    return archive_bytes(**{f"assets/{i}": b"" for i in range(10_001)})


def _link() -> bytes:
    data = archive_bytes(**{"assets/a": b"/etc/passwd"})
    return patched(data, central(data, b"assets/a") + 38, struct.pack("<L", 0o120777 << 16))


def _wrong_crc_of(name: str) -> bytes:
    data = archive_bytes()
    wrong = struct.pack("<L", zlib.crc32(b"other"))
    return in_both_headers(data, name.encode(), 14, wrong)


ATTACKS = {
    "bomb": (lambda: _bomb(50 << 20), "too large when unpacked"),
    "lying bomb": (_lying_bomb, "does not end where"),
    "overlap": (_overlap, "overlaps"),
    "duplicate": (_duplicate, "twice"),
    "bad crc of config": (lambda: _wrong_crc_of("config.json"), "CRC-32"),
    "bad crc of weights": (lambda: _wrong_crc_of("model.weights.h5"), "CRC-32"),
    "encrypted": (
        lambda: in_both_headers(archive_bytes(), b"config.json", 6, b"\x01\x00"),
        "encrypted",
    ),
    "streamed": (
        lambda: in_both_headers(archive_bytes(), b"config.json", 6, b"\x08\x00"),
        "size follows",
    ),
    "unknown method": (
        lambda: in_both_headers(archive_bytes(), b"config.json", 8, b"\x0c\x00"),
        "unknown way",
    ),
    "local name": (
        lambda: archive_bytes().replace(b"config.json", b"konfig.json", 1),
        "contradict",
    ),
    "local size": (lambda: patched(archive_bytes(), 22, b"\x01"), "contradict"),
    "comment": (_commented, "end record"),
    "trailing junk": (lambda: archive_bytes() + b"junk", "end record"),
    "leading junk": (lambda: b"#!/bin/sh\n" + archive_bytes(), "not a .keras file"),
    "gap": (_gap, "unused bytes"),
    "truncated": (lambda: archive_bytes()[:-300], "end record"),
    "empty": (lambda: b"", "not a .keras file"),
    "only an end": (lambda: b"PK\x05\x06" + bytes(18), "not a .keras file"),
    "pickle": (lambda: b"\x80\x04K\x01.", "not a .keras file"),
    "many members": (_many, "too many members"),
    "symbolic link": (_link, "not a regular file"),
    "parent folder": (lambda: archive_bytes(**{"assets/../../evil": b""}), "not allowed"),
    "absolute": (lambda: archive_bytes(**{"/etc/passwd": b""}), "unknown member"),
    "absolute asset": (lambda: archive_bytes(**{"assets//etc/passwd": b""}), "not allowed"),
    "windows path": (lambda: archive_bytes(**{"assets/..\\x": b""}), "not allowed"),
    "drive": (lambda: archive_bytes(**{"assets/C:x": b""}), "not allowed"),
    "escape sequence": (lambda: archive_bytes(**{"assets/\x1b[2J": b""}), "not allowed"),
    "folder": (lambda: archive_bytes(**{"assets/": b""}), "not allowed"),
    "unknown member": (lambda: archive_bytes(**{"evil.py": b""}), "unknown member"),
    "npz weights": (lambda: archive_bytes(**{"model.weights.npz": b""}), "pickled"),
    "no config": (lambda: archive_bytes(**{"config.json": None}), "no member config.json"),
    "no weights": (
        lambda: archive_bytes(**{"model.weights.h5": None}),
        "no member model.weights.h5",
    ),
    "large metadata": (
        lambda: archive_bytes(**{"metadata.json": b" " * (1 << 21)}),
        "metadata.json is too large",
    ),
    "metadata is a list": (lambda: archive_bytes(**{"metadata.json": b"[]"}), "not a JSON object"),
    "deep config": (lambda: archive_bytes(**{"config.json": b"[" * 10**6}), "nesting"),
    "weights are not HDF5": (
        lambda: archive_bytes(**{"model.weights.h5": b"x" * 500}),
        "not an HDF5 file",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name, tmp_path, watchdog):
    make, said = ATTACKS[name]
    path = tmp_path / "m.keras"
    path.write_bytes(make())
    watchdog.refuses("archive", path, said)


def test_a_flipped_bit_anywhere_is_an_error():
    data = own_archive()
    for at in range(0, len(data), 7):
        flipped = patched(data, at, bytes([data[at] ^ 1 << at % 8]))
        try:
            archive = read_archive(io.BytesIO(flipped))
        except (ModelFileError, ModelFileTypeError):
            continue
        # Fields without meaning here (versions, attributes, internal flags) may change.
        assert dataclasses.replace(archive, weights=None) == dataclasses.replace(
            read_archive(io.BytesIO(data)), weights=None
        )
        assert archive.weights.read() == WEIGHTS


def test_every_truncation_is_an_error():
    data = own_archive()
    for size in range(0, len(data), 37):
        with pytest.raises(ModelFileError):
            read_archive(io.BytesIO(data[:size]))


def test_limits_can_be_changed():
    with limits(config_bytes=10), pytest.raises(ModelFileError, match=r"config\.json is too large"):
        read_archive(io.BytesIO(own_archive()))


def test_a_file_that_shrinks_after_the_checks_is_an_error():
    file = io.BytesIO(own_archive())
    archive = read_archive(file)
    file.truncate(200)
    with pytest.raises(ModelFileError, match="shorter"):
        archive.weights.read()


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_archives_give_a_result_or_our_error(tmp_path, watchdog, data):
    content = bytearray((FIXTURES / "mlp.keras").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        # The headers are at both ends: mutate there half of the time.
        at = data.draw(
            st.one_of(
                st.integers(0, len(content) - 1), st.integers(len(content) - 250, len(content) - 1)
            )
        )
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    result = watchdog.load("archive", path)
    assert result["error"] is None or {"ModelFileError", "ModelFileTypeError"} & set(
        result["error"]
    ), result
