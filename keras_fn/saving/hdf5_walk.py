"""The tree of an HDF5 file, walked without following a link out of it."""

from collections.abc import Iterator

import h5py

from .byte_view import ByteView
from .errors import model_file_errors, printable
from .hdf5_header import ObjectHeader, read_header, unusual
from .limits import current_limits

_NAME_BYTES = 255


def check_link_name(name: str) -> None:
    """Raises unless `name` is a plain name for a group or dataset."""
    usable = 0 < len(name.encode("utf-8", "replace")) <= _NAME_BYTES and name not in (".", "..")
    if not usable or any(c == "/" or c == "\\" or not c.isprintable() for c in name):
        raise unusual("a name in the HDF5 file is not allowed",
                      f"1 to {_NAME_BYTES} printable characters, no slash", printable(name, 100))


def walk(root: h5py.h5f.FileID, view: ByteView) -> Iterator[tuple[str, object, ObjectHeader]]:
    """Yields (path, opened object, header) of every object, following hard links only."""
    limits = current_limits()
    top = h5py.h5o.open(root, b"/")
    address = h5py.h5o.get_info(top).addr
    seen = {address}
    header = read_header(view, address)
    if not header.is_group:
        raise unusual("the root of the HDF5 file is not a group")
    yield "", top, header
    stack = [("", top, 0)]
    while stack:
        parent, group, depth = stack.pop()
        if depth >= limits.hdf5_depth:
            raise unusual("the groups are nested too deep", f"at most {limits.hdf5_depth} levels")
        for raw_name in _link_names(group, limits.hdf5_objects - len(seen)):
            name = raw_name.decode("utf-8")
            check_link_name(name)
            path = f"{parent}/{name}" if parent else name
            with model_file_errors(printable(path)):
                header, address = _checked_target(group, raw_name, view, seen)
                child = h5py.h5o.open(group, raw_name)
                if isinstance(child, h5py.h5g.GroupID) is not header.is_group or _address(child) != address:
                    raise unusual("the object is not what its header says")
            yield path, child, header
            if header.is_group:
                stack.append((path, child, depth + 1))


def _checked_target(group: h5py.h5g.GroupID, name: bytes, view: ByteView,
                    seen: set[int]) -> tuple[ObjectHeader, int]:
    """Returns the header and address of what a link names, before HDF5 opens it."""
    link = group.links.get_info(name)
    if link.type != h5py.h5l.TYPE_HARD:
        raise unusual("a link leads elsewhere", "hard links only", "a soft, external or user-defined link")
    address = link.u
    if address in seen:
        raise unusual("an object is reached by two paths, or contains itself", "each object at one path")
    seen.add(address)
    return read_header(view, address), address


def _address(item: object) -> int:
    return h5py.h5o.get_info(item).addr


def _link_names(group: h5py.h5g.GroupID, most: int) -> list[bytes]:
    names: list[bytes] = []

    def add(name: bytes) -> None:
        if len(names) >= most:
            raise unusual("the HDF5 file has too many objects", f"at most {current_limits().hdf5_objects}")
        names.append(name)

    group.links.iterate(add)
    return names
