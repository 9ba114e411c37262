"""Zip files that are written have 64-bit fields where Python's `zipfile` expects them."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.hdf5.writer import _Pages as SparseFile
from keras_fn.saving.zip import zip_writer
from keras_fn.saving.zip.strict_zip import read_entries
from keras_fn.saving.zip.zip_records import FULL_16, FULL_32


def skip_parts(file, parts):
    """Writes zeros as `write_parts`, but only the last of each part."""
    for part in parts:
        file.seek(part.nbytes - 1, 1)
        file.write(b"\0")
    return 0


@pytest.mark.parametrize(
    "sizes",
    [
        [10, FULL_32 + 6, 7],  # a large member, and one behind 4 GiB
        [FULL_32, 3],
        [FULL_32 - 1, 3],
        [100, FULL_32 - 200, 5],
        [0, 0],
    ],
)
def test_members_and_archives_over_four_gibibytes(monkeypatch, sizes):
    monkeypatch.setattr(zip_writer, "write_parts", skip_parts)
    members = {
        f"member{i}": [np.broadcast_to(np.uint8(0), size).data] if size else []
        for i, size in enumerate(sizes)
    }
    file: Any = SparseFile()
    zip_writer.write_zip(file, members)
    assert [entry.size for entry in read_entries(ByteView.of_file(file))] == sizes
    with zipfile.ZipFile(file) as archive:
        assert [info.file_size for info in archive.infolist()] == sizes
        for name in members:
            archive.open(name).close()  # its two headers agree


def test_more_members_than_a_16_bit_count(monkeypatch):
    monkeypatch.setattr(zip_writer, "write_parts", skip_parts)
    zip_writer.write_zip(file := io.BytesIO(), {str(i): [] for i in range(FULL_16 + 2)})
    with zipfile.ZipFile(file) as archive:
        assert len(archive.infolist()) == FULL_16 + 2
