"""HDF5 files that reach outside, or ask for more than they hold, are refused."""

import io
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hdf5_files import hdf5_bytes

from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.hdf5.file import open_hdf5


def _secret(folder: Path) -> Path:
    path = folder / "secret.h5"
    with h5py.File(path, "w") as h5:
        h5["x"] = np.ones(3, "float32")
    (folder / "secret.bin").write_bytes(b"s" * 12)
    return path


def _external_link(h5: h5py.File, folder: Path) -> None:
    h5["x"] = h5py.ExternalLink(str(_secret(folder)), "/x")


def _soft_link(h5: h5py.File, folder: Path) -> None:
    h5["y"] = np.ones(3)
    h5["x"] = h5py.SoftLink("/y")


def _external_storage(h5: h5py.File, folder: Path) -> None:
    _secret(folder)
    h5.create_dataset("x", (3,), "float32", external=[(str(folder / "secret.bin"), 0, 12)])


def _virtual_dataset(h5: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource(str(_secret(folder)), "x", (3,))
    h5.create_virtual_dataset("x", layout)


def _hard_cycle(h5: h5py.File, folder: Path) -> None:
    group = h5.create_group("a/b")
    group["back"] = h5["a"]


def _cycle_to_root(h5: h5py.File, folder: Path) -> None:
    h5.create_group("a")["root"] = h5["/"]


def _shared_dataset(h5: h5py.File, folder: Path) -> None:
    h5["x"] = np.ones(3)
    h5["y"] = h5["x"]


def _paths_without_end(h5: h5py.File, folder: Path) -> None:
    for i in range(40):  # 2**40 paths to the last group
        group = h5.require_group(f"{i}")
        for side in "lr":
            group[side] = h5.require_group(f"{i + 1}")


def _references(h5: h5py.File, folder: Path) -> None:
    h5["y"] = np.ones(3)
    h5.create_dataset("x", data=np.array([h5["y"].ref], dtype=h5py.ref_dtype))


def _committed_type(h5: h5py.File, folder: Path) -> None:
    h5["t"] = np.dtype("float32")


def _dataset_of_committed_type(h5: h5py.File, folder: Path) -> None:
    group = h5.create_group("g")
    group["t"] = np.dtype("float32")
    group.create_dataset("x", (3,), dtype=group["t"])


def _texts(h5: h5py.File, folder: Path) -> None:
    h5["x"] = ["a", "b"]


def _compound(h5: h5py.File, folder: Path) -> None:
    h5["x"] = np.zeros(3, [("a", "f4"), ("b", "i4")])


def _odd_float(h5: h5py.File, folder: Path) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(100)
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(h5.id, b"x", kind, space).write(space, space, np.ones(3, "f4"))


def _unknown_filter(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset("x", data=np.zeros(100), compression="lzf")


def _scale_offset(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset("x", data=np.zeros(100, "i4"), scaleoffset=4)


def _never_written(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset("x", (1 << 40,), "float32")


def _small_never_written(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset("x", (3,), "float32")


def _chunks_never_written(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset("x", (1 << 40,), "float32", chunks=(1 << 20,))


def _compressed_zeros(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset(
        "x", data=np.zeros(30 << 20, "float32"), chunks=(30 << 20,), compression="gzip"
    )


def _large_chunk(h5: h5py.File, folder: Path) -> None:
    h5.create_dataset(
        "x", data=np.zeros(1, "u1"), maxshape=(None,), chunks=(1 << 28,), compression="gzip"
    )


def _chunk_that_grows(h5: h5py.File, folder: Path) -> None:
    """A chunk of 4 bytes whose data inflates to 48 MiB: HDF5 does not write more into 4 bytes."""
    dataset = h5.create_dataset("x", (1,), "float32", chunks=(1,), compression="gzip")
    deflater = zlib.compressobj(9)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(48)) + deflater.flush()
    dataset.id.write_direct_chunk((0,), bomb)


def _empty_space(h5: h5py.File, folder: Path) -> None:
    h5["x"] = h5py.Empty("float32")


def _deep(h5: h5py.File, folder: Path) -> None:
    group = h5
    for _ in range(2000):
        group = group.create_group("g")


def _long_paths(h5: h5py.File, folder: Path) -> None:
    """10,000 datasets under a path of 50 kB."""
    group = h5
    for _ in range(200):
        group = group.create_group("x" * 250)
    for i in range(10_000):
        group[f"{i}"] = 1.0


def _odd_name(h5: h5py.File, folder: Path) -> None:
    h5["\x1b[2J"] = np.ones(1)


def _long_name(h5: h5py.File, folder: Path) -> None:
    h5["x" * 300] = np.ones(1)


def _name_not_utf8(h5: h5py.File, folder: Path) -> None:
    h5[b"\xff\xfe"] = np.ones(1)


def _reference_attribute(h5: h5py.File, folder: Path) -> None:
    h5.attrs["r"] = h5.ref


def _compound_attribute(h5: h5py.File, folder: Path) -> None:
    h5.attrs["r"] = np.zeros(2, [("a", "f4")])


def _text_not_utf8(h5: h5py.File, folder: Path) -> None:
    h5.attrs["name"] = np.bytes_(b"\xff\xfe")


def _wrong_dtype_name(h5: h5py.File, folder: Path) -> None:
    h5["x"] = np.zeros(3, "V2")
    h5["x"].attrs["dtype"] = "float8_e5m2"


ATTACKS = {
    _external_link: "feature that Keras does not",
    _soft_link: "a link that is not a hard link",
    _external_storage: "feature that Keras does not",
    _virtual_dataset: "unsupported",
    _hard_cycle: "reached by two paths",
    _cycle_to_root: "reached by two paths",
    _shared_dataset: "reached by two paths",
    _paths_without_end: "reached by two paths",
    _references: "unsupported type",
    _committed_type: "neither a group nor a dataset",
    _dataset_of_committed_type: "",
    _texts: "unsupported type",
    _compound: "unsupported type",
    _odd_float: "unsupported type",
    _unknown_filter: "unknown filters",
    _scale_offset: "unknown filters",
    _never_written: "not all in the file",
    _small_never_written: "not all in the file",
    _chunks_never_written: "chunks of the dataset are missing",
    _compressed_zeros: "declares much more",
    _large_chunk: "declares much more",
    _chunk_that_grows: "does not end at its size",
    _empty_space: "",
    _deep: "too deep",
    _long_paths: "structures of the file overlap",
    _odd_name: "not allowed",
    _long_name: "not allowed",
    _name_not_utf8: "",
    _reference_attribute: "unsupported type",
    _compound_attribute: "unsupported type",
    _text_not_utf8: "",
    _wrong_dtype_name: "does not fit its bytes",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__[1:])
def test_attacks_are_refused(attack, tmp_path, watchdog):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as h5:
        attack(h5, tmp_path)
    watchdog.refuses("hdf5", path, ATTACKS[attack])


@pytest.mark.parametrize(
    "options", [{"libver": "latest"}, {"userblock_size": 512}, {"track_order": True}]
)
def test_other_forms_of_the_format_are_refused(options, tmp_path, watchdog):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w", **options) as h5:
        h5["x"] = np.ones(3)
    watchdog.refuses("hdf5", path)


def test_many_names_for_one_long_text_are_refused(tmp_path, watchdog):
    """4000 elements of an attribute point to one text of 4 MiB: 16 GiB from a file of 4 MiB."""
    path = tmp_path / "m.h5"
    long, marks = "x" * (4 << 20), [f"{i:05d}" for i in range(4000)]
    path.write_bytes(hdf5_bytes({}, {"": {"long": long, "layer_names": marks}}))
    with h5py.File(path) as h5:
        address = h5py.h5o.get_info(h5.id).addr
    content = bytearray(path.read_bytes())
    # A reference is a length, the address of a heap and an index; copy that of the long text.
    at = content.index(len(long).to_bytes(4, "little"), address)
    reference = content[at : at + 16]
    start = content.index((5).to_bytes(4, "little"), content.index(b"layer_names\0"))
    content[start : start + 16 * 4000] = reference * 4000
    path.write_bytes(content)
    watchdog.refuses("hdf5", path, "too large")


def test_groups_that_share_their_names_are_refused(tmp_path, watchdog):
    """1000 groups name a heap of 10 MB as the place of their one name."""
    path = tmp_path / "m.h5"
    heap = np.frombuffer(b"v\0" * 5_000_000, "uint8")
    groups = {f"g{i:03d}/vars": {"name": "x"} for i in range(1000)}
    content = bytearray(hdf5_bytes({"w": heap}, groups))
    start = bytes(content).index(heap.tobytes()[:100])
    # The first heap is that of the root.
    _, *others = (at for at in range(0, len(content), 8) if content[at : at + 4] == b"HEAP")
    for at in others:
        content[at + 8 : at + 16] = heap.nbytes.to_bytes(8, "little")
        content[at + 24 : at + 32] = start.to_bytes(8, "little")
    path.write_bytes(content)
    watchdog.refuses("hdf5", path, "structures of the file overlap")


def test_many_datasets_for_the_same_bytes_are_refused(tmp_path, watchdog):
    """300 datasets name the one megabyte of another: 300 MB from a file of 1.3 MB."""
    small, large = 345, 1_234_567
    arrays = {"large": np.zeros(large, "uint8")} | {
        f"{i:03d}": np.zeros(small, "uint8") for i in range(300)
    }
    content = bytes(hdf5_bytes(arrays))
    with h5py.File(io.BytesIO(content)) as h5:
        offsets = {name: h5[name].id.get_offset().to_bytes(8, "little") for name in h5}
    sizes = small.to_bytes(8, "little"), large.to_bytes(8, "little")
    for offset in offsets.values():
        content = content.replace(offset + sizes[0], offsets["large"] + sizes[0])
    path = tmp_path / "m.weights.h5"
    path.write_bytes(content.replace(*sizes))
    watchdog.refuses("hdf5", path, "much more than the file holds")


@pytest.mark.parametrize("named", ["object", "|O", "U5", "S10", "bfloat16", "int32", 7])
def test_a_dtype_attribute_that_is_not_that_of_the_bytes_is_an_error(named):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5["w"] = np.ones(3, "float32")
        h5["w"].attrs["dtype"] = named
    with pytest.raises(ModelFileError, match="the dtype the dataset names does not fit its bytes"):
        open_hdf5(file)
