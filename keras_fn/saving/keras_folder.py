"""The content of a `.keras` archive as a folder: `save(zipped=False)`, or a snapshot of a hub."""

import contextlib
import os
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from keras_fn.saving.archive import (
    ASSETS,
    CONFIG,
    METADATA,
    NPZ_WEIGHTS,
    OWN_KEY,
    WEIGHTS,
    Archive,
    check_members,
    checked_content,
    metadata_bytes,
    parse_metadata,
)
from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checksum import (
    Buffer,
    stored_checksum,
    write_parts,
    write_with_trailer,
)
from keras_fn.saving.errors import (
    ModelFileError,
    error_context,
    sanitize_for_display,
)
from keras_fn.saving.file_io import PathLike, complete_folder, describe, local_path
from keras_fn.saving.folder_writer import atomic_folder
from keras_fn.saving.limits import current_limits
from keras_fn.saving.member_files import checked_size, not_plain, open_member, read_folder
from keras_fn.saving.zip.strict_zip import malformed

_CHECKSUMS = "crc32"
_OWN_NAMES = (CONFIG, METADATA, WEIGHTS, NPZ_WEIGHTS, ASSETS.rstrip("/"))
# Keras draws the model into this file when it uploads a folder. It is an asset of no layer.
_HUB_PICTURE = f"{ASSETS}summary_plot.png"


def is_model_folder(path: PathLike) -> bool:
    """Returns whether a path is a folder with a model, as Keras decides it: by its config.json.

    Args:
        path: The path.
    """
    return (complete_folder(path) / CONFIG).is_file()


# ---------------------------------------------------------------- writing


def write(members: Mapping[str, Buffer | Sequence[Buffer]], path: PathLike) -> None:
    """Writes a folder, which replaces an existing one as a whole.

    Other files in the existing folder, such as a README.md, stay.

    Args:
        members: The result of `keras_format.archive_members`.
        path: The path of the folder.

    Raises:
        ModelFileError: The result could not be read; or the folder holds files of these names that
            are not of a saved model.
        OSError: The folder cannot be written.
    """
    with error_context(describe(path)):
        content = checked_content(members)
        _check_replaceable(Path(local_path(path)))
    with atomic_folder(path, _OWN_NAMES) as folder:
        checksums = {
            name: _write_member(folder / name, parts, has_trailer=name == WEIGHTS)
            for name, parts in content.items()
            if name != METADATA
        }
        metadata = metadata_bytes({}, **{_CHECKSUMS: checksums})
        _write_member(folder / METADATA, [metadata], has_trailer=False)


def _check_replaceable(folder: Path) -> None:
    """Raises an error if a folder has other files of the names that are written."""
    names = set(os.listdir(folder)) if folder.is_dir() else set()
    taken = sorted(names.intersection(_OWN_NAMES))
    if taken and not names.issuperset((CONFIG, METADATA)):
        raise ModelFileError(
            "the folder is not a saved model, but holds files of the names that one has",
            expected=f"a new or empty folder, or one with {CONFIG} and {METADATA}",
            received=", ".join(taken),
            fix="choose another path",
        )


def _write_member(path: Path, parts: Sequence[Buffer], has_trailer: bool) -> str:
    """Writes a new file, and returns the CRC-32 of the parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        crc = write_with_trailer(file, parts) if has_trailer else write_parts(file, parts)
        file.flush()
        os.fsync(file.fileno())
    return f"{crc:08x}"


# ---------------------------------------------------------------- reading


@contextlib.contextmanager
def open_folder(path: PathLike, links_within: PathLike | None = None) -> Iterator[Archive]:
    """Context manager of the checked content of a folder. Other files in the folder are not read.

    Args:
        path: The path of the folder.
        links_within: A folder into which links may lead, such as the cache of a hub. By default no
            member is a link.

    Raises:
        ModelFileError: The folder is not a saved model, a checksum is wrong, or a member is a link
            or device.
        OSError: The folder cannot be read.
    """
    with contextlib.ExitStack() as stack:
        yield read_folder(path, partial(_read, describe(path), links_within), stack)


def _read(
    name: str, links_within: PathLike | None, folder: Path, stack: contextlib.ExitStack
) -> Archive:
    files = dict(_members(folder, links_within))
    sizes = {member: checked_size(file) for member, file in files.items()}
    check_members(sizes)
    metadata = parse_metadata(_content(files[METADATA]))
    checksums = _checksums(metadata)
    config = _checked_content(CONFIG, files[CONFIG], checksums)
    assets = {
        member.removeprefix(ASSETS): _checked_content(member, file, checksums)
        for member, file in files.items()
        if member.startswith(ASSETS)
    }
    if absent := sorted(checksums.keys() - files.keys()):
        raise malformed("a member is missing", absent[0])
    weights = stack.enter_context(open_member(files[WEIGHTS]))
    _check_weights(weights, checksums)
    return Archive(name, config, metadata, weights, assets)


def _members(folder: Path, links_within: PathLike | None) -> Iterator[tuple[str, Path]]:
    """Yields the name and the path of each member, after checking that it is a plain file."""
    most = current_limits().zip_members
    paths = [folder / name for name in _OWN_NAMES if os.path.lexists(folder / name)]
    count = 0
    while paths:
        path = paths.pop()
        name = path.relative_to(folder).as_posix()
        count += 1
        if count > most:
            raise malformed("there are too many members", f"at most {most}", "more")
        target = _target(path, name, links_within)
        if name == _HUB_PICTURE:
            continue
        mode = target.lstat().st_mode
        is_asset = name == _OWN_NAMES[-1] or name.startswith(ASSETS)
        if stat.S_ISDIR(mode) and is_asset:
            paths += sorted(path.iterdir())
        elif stat.S_ISREG(mode):
            yield name, target
        else:
            raise not_plain(name, f"file type {stat.filemode(mode)[0]!r}")


def _target(path: Path, name: str, links_within: PathLike | None) -> Path:
    """Returns the path of a member, after checking that it is not a link."""
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    inside = None if links_within is None else Path(os.path.realpath(local_path(links_within)))
    if inside not in target.parents:
        raise not_plain(name, "a link")
    return target


def _content(path: Path) -> bytes:
    with open_member(path) as file:
        return file.read()


def _checksums(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Returns the checksums of the members; none if keras_fn did not write the folder."""
    own = metadata.get(OWN_KEY, {})
    checksums = own.get(_CHECKSUMS, {}) if isinstance(own, dict) else None
    if not isinstance(checksums, dict) or not all(isinstance(x, str) for x in checksums.values()):
        raise malformed(f"{METADATA} has no table of checksums", "an object of strings")
    return checksums


def _checked_content(name: str, path: Path, checksums: Mapping[str, str]) -> bytes:
    content = _content(path)
    _compare(name, f"{zlib.crc32(content):08x}", checksums)
    return content


def _check_weights(file: BinaryIO, checksums: Mapping[str, str]) -> None:
    """Compares the checksum behind the weights, which is verified when they are opened."""
    if checksums:
        _compare(WEIGHTS, stored_checksum(ByteView.of_file(file)) or "no checksum", checksums)
        file.seek(0)


def _compare(name: str, found: str, checksums: Mapping[str, str]) -> None:
    expected = checksums.get(name, found if not checksums else "no such member")
    if found != expected:
        raise ModelFileError(
            f"{sanitize_for_display(name, 100)} is not what was saved (CRC-32 differs)",
            expected=sanitize_for_display(expected, 20),
            received=found,
            fix="the folder is damaged, or the file was changed: then remove the key "
            f"{OWN_KEY!r} from {METADATA}",
        )
