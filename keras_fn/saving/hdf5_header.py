"""The raw object headers of an HDF5 file, checked before the HDF5 library opens the object.

h5py writes, unless asked otherwise, the oldest form of everything: superblock 0, object headers of
version 1, nothing in fractal heaps. Keras does not ask otherwise. Accepting this form alone keeps
out, before any library code sees them: shared and committed types, virtual datasets, external
storage, new chunk indexes, compressed heaps.

Reference: HDF5 File Format Specification 3.0, sections II.A and IV.A.
"""

import dataclasses
import struct

from .byte_view import ByteView
from .errors import ModelFileError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK = struct.Struct("<8sB2xxx2B9x")
_ADDRESSES = struct.Struct("<4Q")
_UNDEFINED = 2**64 - 1
_PREFIX = struct.Struct("<BxHLL4x")
_MESSAGE = struct.Struct("<HHB3x")
_CONTINUATION_FIELDS = struct.Struct("<2Q")

_DATASPACE, _DATATYPE, _LAYOUT, _PIPELINE, _ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE = 1, 3, 8, 11, 12, 16, 17
_KNOWN_MESSAGES = {
    0: "nil", _DATASPACE: "dataspace", _DATATYPE: "datatype", 4: "old fill value", 5: "fill value",
    _LAYOUT: "layout", _PIPELINE: "filters", _ATTRIBUTE: "attribute", 13: "comment", 14: "old time",
    _CONTINUATION: "continuation", _SYMBOL_TABLE: "symbol table", 18: "time",
}
_SHARED_FLAG = 0x02
_LATEST_LAYOUT = 3
_VLEN_REFERENCE = struct.Struct("<L12x")


@dataclasses.dataclass(frozen=True)
class ObjectHeader:
    """What the header of a group or dataset says.

    Attributes:
        is_group: It is a group; else a dataset.
        attributes: The raw value of each attribute.
    """

    is_group: bool
    attributes: dict[str, bytes]

    def string_bytes(self, name: str) -> int:
        """Returns the total size of the variable-length strings of an attribute, without reading them."""
        value = self.attributes[name]
        return sum(length for (length,) in _VLEN_REFERENCE.iter_unpack(value[: len(value) // 16 * 16]))


def unusual(fact: str, expected: object = "", found: object = "") -> ModelFileError:
    """Returns the error for an HDF5 file that is not as Keras writes it."""
    return ModelFileError(fact, expected=expected, found=found,
                          fix="the file is damaged or was not written by Keras; save it again with Keras or keras_fn")


def check_superblock(view: ByteView) -> None:
    """Raises unless the file starts with a superblock as h5py writes it."""
    head = view.bytes_at(0, min(view.size, 96))
    if head[:8] != _SIGNATURE:
        raise unusual("not an HDF5 file", f"it starts with {_SIGNATURE!r}", head[:8])
    if len(head) < 96:
        raise unusual("the HDF5 file is too short")
    _, version, offset_size, length_size = _SUPERBLOCK.unpack_from(head)
    if version != 0 or (offset_size, length_size) != (8, 8):
        raise unusual("the HDF5 file has an unusual form", "superblock 0 with 8-byte offsets",
                      f"superblock {version}, {offset_size}-byte offsets")
    base, _, end, driver = _ADDRESSES.unpack_from(head, _SUPERBLOCK.size)
    if base != 0 or driver != _UNDEFINED:
        raise unusual("the HDF5 file starts elsewhere or needs a driver", "base address 0, no driver",
                      f"base {base}, driver block at {driver}")
    if end > view.size:
        raise unusual("the HDF5 file is truncated", f"{end} bytes", f"{view.size} bytes")


def read_header(view: ByteView, address: int) -> ObjectHeader:
    """Reads the header of the object at `address`; raises unless Keras could have written it."""
    version, count, _, size = _PREFIX.unpack(view.bytes_at(address, _PREFIX.size))
    if version != 1:
        raise unusual("an object has an unusual header", "version 1, h5py's default", f"version byte {version}")
    kinds: set[int] = set()
    attributes: dict[str, bytes] = {}
    blocks = [(address + _PREFIX.size, size)]
    while blocks:
        block = view.bytes_at(*blocks.pop(0))
        position = 0
        while position + _MESSAGE.size <= len(block) and count:
            kind, length, flags = _MESSAGE.unpack_from(block, position)
            body = block[position + _MESSAGE.size : position + _MESSAGE.size + length]
            _check_message(kind, length, flags, body)
            if kind == _CONTINUATION:
                blocks.append(_CONTINUATION_FIELDS.unpack_from(body))
            elif kind == _ATTRIBUTE:
                name, value = _attribute(body)
                if name in attributes:
                    raise unusual(f"attribute {name!r} occurs twice")
                attributes[name] = value
            kinds.add(kind)
            position += _MESSAGE.size + length
            count -= 1
    is_group = _SYMBOL_TABLE in kinds
    if is_group == (_LAYOUT in kinds) or (not is_group and not kinds >= {_DATASPACE, _DATATYPE}):
        raise unusual("an object is neither a group nor a dataset")
    return ObjectHeader(is_group, attributes)


def _check_message(kind: int, length: int, flags: int, body: bytes) -> None:
    if kind not in _KNOWN_MESSAGES:
        raise unusual("an object uses an HDF5 feature that Keras does not",
                      "plain groups and datasets", f"header message {kind:#x}")
    if len(body) != length:
        raise unusual("a header message is cut off", f"{length} bytes", len(body))
    if flags & _SHARED_FLAG:
        raise unusual("an object shares a part of its description with others",
                      "types that are not committed", f"a shared {_KNOWN_MESSAGES[kind]} message")
    if kind == _LAYOUT and not 1 <= body[0] <= _LATEST_LAYOUT:
        raise unusual("a dataset has an unusual layout", "contiguous, compact or chunked", f"version {body[0]}")


def _attribute(body: bytes) -> tuple[str, bytes]:
    """Returns the name and the raw value of an attribute message."""
    version, flags, *sizes = struct.unpack_from("<2B3H", body)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise unusual("an attribute has an unusual form", "an own, plain type", f"version {version}, flags {flags}")
    step = 8 if version == 1 else 1
    start = 9 if version == 3 else 8
    name_size, type_size, space_size = (-(-size // step) * step for size in sizes)
    name = body[start : start + sizes[0]].split(b"\0", 1)[0].decode("utf-8")
    return name, body[start + name_size + type_size + space_size :]
