"""B-trees of version 1, which list the members of a group and the chunks of a dataset.

Each node can be visited once, so that a walk always terminates.

Reference: HDF5 File Format Specification 3.0, sections III.A.1, III.B, III.C and III.D.
"""

import dataclasses
import struct
from collections.abc import Iterator

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import unsupported_hdf5_error

_NODE = struct.Struct("<4s2BH16x")

_HEAP = struct.Struct("<4sB3x3Q")

_LEAF = struct.Struct("<4sBxH")

_ENTRY = struct.Struct("<2QL20x")

_GROUP_NODE, _CHUNK_NODE = 0, 1

_SYMBOLIC_LINK = 2

_UNDEFINED = 2**64 - 1


@dataclasses.dataclass(frozen=True)
class Chunk:
    """`size` bytes at `address` with the elements from `offset` on.

    If bit i of `mask` is set, filter i was not applied.
    """

    offset: tuple[int, ...]
    size: int
    mask: int
    address: int


def group_links(
    view: ByteView, symbol_table: tuple[int, int], seen: set[int], most: int
) -> list[tuple[str, int]]:
    """Returns the names and header addresses in a group. Only hard links are supported.

    Args:
        view: The file.
        symbol_table: The addresses of the group's B-tree and of the heap of its names.
        seen: Addresses visited so far, which must not occur again; new ones are added.
        most: The maximum number of links.
    """
    tree, heap = symbol_table
    names = _heap_data(view, heap)
    links: list[tuple[str, int]] = []
    for _, leaf in _children(view, tree, _GROUP_NODE, 8, seen):
        signature, version, count = _LEAF.unpack(view.bytes_at(leaf, _LEAF.size))
        if signature != b"SNOD" or version != 1:
            raise unsupported_hdf5_error("a list of names of a group is malformed")
        if len(links) + count > most:
            raise unsupported_hdf5_error("the HDF5 file has too many objects")
        for name_offset, address, kind in _ENTRY.iter_unpack(
            view.bytes_at(leaf + _LEAF.size, count * _ENTRY.size)
        ):
            if kind == _SYMBOLIC_LINK or address == _UNDEFINED:
                raise unsupported_hdf5_error(
                    "there is a link that is not a hard link", "hard links only", "a soft link"
                )
            end = names.find(b"\0", name_offset)
            if end < 0:
                raise unsupported_hdf5_error("a name of a group is malformed")
            links.append((names[name_offset:end].decode("utf-8"), address))
    if len({name for name, _ in links}) != len(links):
        raise unsupported_hdf5_error("a group has two members of the same name")
    return links


def chunks(view: ByteView, tree: int, rank: int, most: int) -> list[Chunk]:
    """Returns the chunks of a dataset.

    Args:
        view: The file.
        tree: The address of the B-tree of chunks.
        rank: The rank of the dataset.
        most: The maximum number of chunks.
    """
    result: list[Chunk] = []
    if tree == _UNDEFINED:
        return result
    key = struct.Struct(f"<2L{rank + 1}Q")
    for raw, address in _children(view, tree, _CHUNK_NODE, key.size, set()):
        size, mask, *offset = key.unpack(raw)
        if len(result) >= most:
            raise unsupported_hdf5_error("the dataset has too many chunks", f"at most {most}")
        result.append(Chunk(tuple(offset[:-1]), size, mask, address))
    return result


def _heap_data(view: ByteView, address: int) -> bytes:
    signature, version, size, _, data = _HEAP.unpack(view.bytes_at(address, _HEAP.size))
    if signature != b"HEAP" or version != 0:
        raise unsupported_hdf5_error("the names of a group are malformed")
    return view.bytes_at(data, size)


def _children(
    view: ByteView, root: int, kind: int, key_size: int, seen: set[int]
) -> Iterator[tuple[bytes, int]]:
    """Yields the key and address of each child of the leaves of a tree, in order."""
    pair = struct.Struct(f"<{key_size}sQ")
    stack: list[tuple[int, int | None]] = [(root, None)]
    while stack:
        address, expected_level = stack.pop()
        if address in seen:
            raise unsupported_hdf5_error("a part of the HDF5 file is reached by two paths")
        seen.add(address)
        signature, found_kind, level, count = _NODE.unpack(view.bytes_at(address, _NODE.size))
        if signature != b"TREE" or found_kind != kind or expected_level not in (None, level):
            raise unsupported_hdf5_error("a B-tree node is malformed")
        children = list(pair.iter_unpack(view.bytes_at(address + _NODE.size, count * pair.size)))
        if level:
            stack += [(child, level - 1) for _, child in reversed(children)]
        else:
            yield from children
