"""Global heap: strings of variable length, to which attributes refer.

Reference: HDF5 File Format Specification 3.0, section III.E.
"""

import struct

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import unsupported_hdf5_error
from keras_fn.saving.limits import current_limits

_REFERENCE = struct.Struct("<LQL")

_COLLECTION = struct.Struct("<4sB3xQ")

_OBJECT = struct.Struct("<2H4xQ")


class GlobalHeap:
    """Reads strings of variable length from a file."""

    def __init__(self, view: ByteView):
        self._view = view
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}

    def texts(self, references: bytes) -> list[bytes]:
        """Returns the strings of an attribute.

        Args:
            references: The references in the attribute.


        Raises:
            ModelFileError: They exceed the limit, or are not in the file.
        """
        unpacked = list(_REFERENCE.iter_unpack(references))
        total, most = sum(length for length, _, _ in unpacked), current_limits().attribute_bytes
        if total > most:
            raise unsupported_hdf5_error(
                "the attribute is too large", f"at most {most} bytes", f"{total} bytes"
            )
        return [self._text(*reference) if reference[0] else b"" for reference in unpacked]

    def _text(self, length: int, address: int, index: int) -> bytes:
        if address not in self._collections:
            self._collections[address] = self._objects(address)
        start, size = self._collections[address].get(index, (0, -1))
        if size != length:
            raise unsupported_hdf5_error(
                "a string of an attribute is not where its reference points",
                f"{length} bytes",
                "no string" if size < 0 else f"{size} bytes",
            )
        return self._view.bytes_at(start, size)

    def _objects(self, address: int) -> dict[int, tuple[int, int]]:
        """Returns the offset and size of each object of a collection, by index."""
        signature, version, total = _COLLECTION.unpack(
            self._view.bytes_at(address, _COLLECTION.size)
        )
        if signature != b"GCOL" or version != 1:
            raise unsupported_hdf5_error("the strings of an attribute are malformed")
        self._view.slice(address, total)
        spans: dict[int, tuple[int, int]] = {}
        position = address + _COLLECTION.size
        while position + _OBJECT.size <= address + total:
            index, _, size = _OBJECT.unpack(self._view.bytes_at(position, _OBJECT.size))
            position += _OBJECT.size
            if index == 0:  # the free space at the end
                break
            if index in spans or position + size > address + total:
                raise unsupported_hdf5_error("the strings of an attribute are malformed")
            spans[index] = position, size
            position += -(-size // 8) * 8
        return spans
