"""The superblock and the object headers of an HDF5 file.

By default, h5py writes the oldest form of everything: superblock 0, object headers of version 1,
groups as symbol tables. Keras uses the default. Only this form is supported: it has no shared or
committed types, virtual datasets, external storage or compressed heaps.

Reference: HDF5 File Format Specification 3.0, sections II.A and IV.A.
"""

import dataclasses
import struct

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import sanitize_for_display, unsupported_hdf5_error

UNDEFINED = 2**64 - 1

_SIGNATURE = b"\x89HDF\r\n\x1a\n"

_SUPERBLOCK = struct.Struct("<8sB4x2B9x4Q")

_ROOT_ENTRY = struct.Struct("<8xQL4x2Q")

_PREFIX = struct.Struct("<BxHLL4x")

_MESSAGE = struct.Struct("<HHB3x")

_TWO_WORDS = struct.Struct("<2Q")

_NIL, _CONTINUATION, _ATTRIBUTE, _SYMBOL_TABLE = 0, 16, 12, 17

_DATASPACE, _DATATYPE, _LAYOUT, _FILTERS = 1, 3, 8, 11

_KEPT = {
    _DATASPACE: "dataspace",
    _DATATYPE: "datatype",
    _LAYOUT: "layout",
    _FILTERS: "filters",
    _SYMBOL_TABLE: "symbol table",
}

_IGNORED = {
    _NIL: "nil",
    4: "old fill value",
    5: "fill value",
    13: "comment",
    14: "old time",
    18: "time",
}

_SHARED_FLAG = 0x02


@dataclasses.dataclass(frozen=True)
class Attribute:
    """The three parts of an attribute, as they are in the file."""

    datatype: bytes
    dataspace: bytes
    value: bytes


@dataclasses.dataclass(frozen=True)
class ObjectHeader:
    """The header of a group, which has a `symbol_table`, or of a dataset."""

    attributes: dict[str, Attribute]
    symbol_table: tuple[int, int] | None
    dataspace: bytes = b""
    datatype: bytes = b""
    layout: bytes = b""
    filters: bytes = b""


def read_superblock(view: ByteView) -> tuple[int, int]:
    """Returns the address of the header of the root group, and where the file ends."""
    if view.bytes_at(0, min(8, view.size)) != _SIGNATURE:
        raise unsupported_hdf5_error(
            "not an HDF5 file",
            f"it starts with {_SIGNATURE!r}",
            view.bytes_at(0, min(8, view.size)),
        )
    _, version, offset_size, length_size, base, _, end, driver = _SUPERBLOCK.unpack(
        view.bytes_at(0, _SUPERBLOCK.size)
    )
    if version != 0 or (offset_size, length_size) != (8, 8) or base != 0 or driver != UNDEFINED:
        raise unsupported_hdf5_error(
            "the HDF5 file has an unsupported form",
            "superblock 0, 8-byte offsets, base 0, no driver",
            f"superblock {version}, {offset_size}-byte offsets, base {base}",
        )
    if end > view.size:
        raise unsupported_hdf5_error(
            "the HDF5 file is truncated", f"{end} bytes", f"{view.size} bytes"
        )
    address, *_ = _ROOT_ENTRY.unpack(view.bytes_at(_SUPERBLOCK.size, _ROOT_ENTRY.size))
    return address, end


def read_header(view: ByteView, address: int) -> ObjectHeader:
    """Returns the header of the object at `address`."""
    version, count, _, size = _PREFIX.unpack(view.bytes_at(address, _PREFIX.size))
    if version != 1:
        raise unsupported_hdf5_error(
            "an object has an unsupported header",
            "version 1, h5py's default",
            f"version byte {version}",
        )
    kept: dict[int, bytes] = {}
    attributes: dict[str, Attribute] = {}
    blocks = [(address + _PREFIX.size, size)]
    while blocks:
        block = view.bytes_at(*blocks.pop(0))
        position = 0
        while position + _MESSAGE.size <= len(block) and count:
            kind, length, flags = _MESSAGE.unpack_from(block, position)
            body = block[position + _MESSAGE.size : position + _MESSAGE.size + length]
            position += _MESSAGE.size + length
            count -= 1  # so that a cycle of continuations terminates
            _check_message(kind, length, flags, body)
            if kind == _CONTINUATION:
                blocks.append(_TWO_WORDS.unpack_from(body))
            elif kind == _ATTRIBUTE:
                _add_attribute(attributes, body)
            elif kind in _KEPT:
                if kind in kept:
                    raise unsupported_hdf5_error(f"an object has two {_KEPT[kind]} messages")
                kept[kind] = body
    if count:
        raise unsupported_hdf5_error(
            "messages of an object header are missing", received=f"{count} too few"
        )
    return _make_header(kept, attributes)


def _make_header(kept: dict[int, bytes], attributes: dict[str, Attribute]) -> ObjectHeader:
    if set(kept) == {_SYMBOL_TABLE}:
        return ObjectHeader(attributes, _TWO_WORDS.unpack_from(kept[_SYMBOL_TABLE]))
    parts = {_DATASPACE, _DATATYPE, _LAYOUT}
    if set(kept) - {_FILTERS} != parts:
        raise unsupported_hdf5_error(
            "an object is neither a group nor a dataset",
            "a group or a dataset",
            ", ".join(_KEPT[kind] for kind in kept) or "no messages",
        )
    return ObjectHeader(
        attributes, None, kept[_DATASPACE], kept[_DATATYPE], kept[_LAYOUT], kept.get(_FILTERS, b"")
    )


def _check_message(kind: int, length: int, flags: int, body: bytes) -> None:
    if kind not in _KEPT and kind not in _IGNORED and kind not in (_ATTRIBUTE, _CONTINUATION):
        raise unsupported_hdf5_error(
            "an object uses an HDF5 feature that Keras does not",
            "plain groups and datasets",
            f"header message {kind:#x}",
        )
    if len(body) != length:
        raise unsupported_hdf5_error("a header message is cut off", f"{length} bytes", len(body))
    if flags & _SHARED_FLAG:
        raise unsupported_hdf5_error(
            "an object shares a part of its description with others", "types that are not committed"
        )


def _add_attribute(attributes: dict[str, Attribute], body: bytes) -> None:
    version, flags, *sizes = struct.unpack_from("<2B3H", body)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise unsupported_hdf5_error(
            "an attribute has an unsupported form",
            "an own, plain type",
            f"version {version}, flags {flags}",
        )
    step = 8 if version == 1 else 1
    name_end = (9 if version == 3 else 8) - (-sizes[0] // step) * step
    type_end = name_end - (-sizes[1] // step) * step
    space_end = type_end - (-sizes[2] // step) * step
    name = body[9 if version == 3 else 8 : name_end].split(b"\0", 1)[0].decode("utf-8")
    if name in attributes:
        raise unsupported_hdf5_error(f"attribute {sanitize_for_display(name, 100)!r} occurs twice")
    attributes[name] = Attribute(
        body[name_end:type_end], body[type_end:space_end], body[space_end:]
    )
