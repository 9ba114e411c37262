"""The `.keras` archive: a zip file of config.json, metadata.json, model.weights.h5 and assets.

Nothing is extracted to disk: members are read as bytes, or through a view of the file.
"""

import dataclasses
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from keras_fn.errors import SpecError
from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checksum import Buffer
from keras_fn.saving.errors import (
    ModelFileError,
    ModelFileTypeError,
    error_context,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.file_io import describe
from keras_fn.saving.limits import current_limits
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.zip.strict_zip import (
    NAME_BYTES,
    Entry,
    malformed,
    member_chunks,
    read_entries,
)
from keras_fn.saving.zip.zip_records import STORED
from keras_fn.saving.zip.zip_writer import write_zip
from keras_fn.version import KERAS_VERSION, __version__

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ASSETS = "assets/"

# Constant, so that the same model results in the same file.
_FIXED_DATE = "1980-01-01@00:00:00"
OWN_KEY = "keras_fn"  # of metadata.json, which Keras does not write
NPZ_WEIGHTS = "model.weights.npz"
# Files of these names, with any ending, are devices on Windows.
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Archive:
    """A checked `.keras` archive.

    Attributes:
        name: The name of the file, for messages.
        config: The bytes of config.json.
        metadata: The value of metadata.json.
        weights: The HDF5 member as a seekable file; it reads from the archive's file, which must
            stay open.
        assets: The content of each asset by its path below `assets/`.
        weights_crc: The CRC-32 of the HDF5 member, if it was not compared.
    """

    name: str
    config: bytes
    metadata: dict[str, Any]
    weights: BinaryIO
    assets: dict[str, bytes]
    weights_crc: int | None = None

    @property
    def weights_name(self) -> str:
        """The name of the weights in error messages."""
        return f"{self.name}, {WEIGHTS}"

    def parse_config(self) -> Any:
        """Returns the value of config.json."""
        with model_file_errors(self.name, CONFIG):
            return parse_json(self.config)


def read_archive(file: BinaryIO, verify_weights: bool = True) -> Archive:
    """Reads and checks a `.keras` file.

    The whole file is read once, for its checksums. An uncompressed member of weights is not copied.

    Args:
        file: A binary, seekable file.
        verify_weights: Whether to compare the weights with their checksum. Default True. If False,
            it is in the result, for `open_hdf5`.

    Raises:
        ModelFileError: The file is not a well-formed `.keras` archive, or a checksum is wrong.
    """
    name = describe(file)
    with model_file_errors(name):
        view = ByteView.of_file(file)
        entries = {entry.name: entry for entry in read_entries(view)}
        check_members({name: entry.size for name, entry in entries.items()})
        metadata = parse_metadata(_member_bytes(view, entries[METADATA]))
        config = _member_bytes(view, entries[CONFIG])
        member = entries[WEIGHTS]
        weights = _member_file(view, member, verify_weights)
        assets = {
            path.removeprefix(ASSETS): _member_bytes(view, entry)
            for path, entry in entries.items()
            if path.startswith(ASSETS)
        }
    crc = None if verify_weights or member.method != STORED else member.crc
    return Archive(name, config, metadata, weights, assets, crc)


def parse_metadata(content: bytes) -> dict[str, Any]:
    """Returns the value of metadata.json.

    Args:
        content: Its bytes.

    Raises:
        ModelFileError: It is not a JSON object.
    """
    with model_file_errors(METADATA):
        metadata = parse_json(content)
        if not isinstance(metadata, dict):
            raise ModelFileTypeError(
                "the metadata is not a JSON object",
                expected="dict",
                received=type(metadata).__name__,
            )
        return metadata


def write_archive(
    file: BinaryIO,
    members: Mapping[str, Buffer | Sequence[Buffer]],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Writes a `.keras` file, for `read_archive` and Keras. The result is reproducible.

    Args:
        file: An empty, seekable file object.
        members: The content of `config.json`, `model.weights.h5` and any `assets/...`: bytes, or
            parts that follow each other.
        metadata: Entries of metadata.json, which extend or replace Keras's version and date.

    Raises:
        ModelFileError: `read_archive` could not read the result.
    """
    with error_context(describe(file)):
        content = checked_content(members, metadata)
    if file.tell() != 0:
        raise SpecError(
            "write_archive",
            expected="an empty file",
            received=f"a file at position {file.tell()}",
            fix="open a new file",
        )
    write_zip(file, content)


def checked_content(
    members: Mapping[str, Buffer | Sequence[Buffer]], metadata: Mapping[str, Any] | None = None
) -> dict[str, Sequence[Buffer]]:
    """Returns the parts of each member, with metadata.json, after checking that all can be read.

    Args:
        members: As of `write_archive`.
        metadata: As of `write_archive`.

    Raises:
        ModelFileError: They cannot.
    """
    if METADATA in members:
        raise ModelFileError(
            "metadata.json is written from `metadata`", received="a member of that name"
        )
    content: dict[str, Sequence[Buffer]] = {METADATA: [metadata_bytes(metadata or {})]}
    for name, data in sorted(members.items()):
        content[name] = [memoryview(data).cast("B")] if isinstance(data, Buffer) else data
    check_members(
        {name: sum(memoryview(part).nbytes for part in parts) for name, parts in content.items()}
    )
    with error_context(CONFIG):
        parse_json(b"".join(content[CONFIG]))
    return content


def check_asset_path(path: str) -> None:
    """Raises an error unless `path` is a plain relative path, as the name of an asset must be."""
    parts = path.split("/")
    if device := next(filter(_DEVICE.fullmatch, parts), None):
        raise ModelFileError(
            f"a file cannot have the name {device!r}, which is a device on Windows",
            expected="names of files that every system has",
            received=sanitize_for_display(path, 100),
            fix="rename the attribute of the layer, or the file that its save_assets writes",
        )
    plain = all(
        0 < len(part.encode("utf-8", "replace")) <= 255 and part not in (".", "..")
        for part in parts
    )
    if not plain or any(c in "\\:" or unicodedata.category(c) in ("Cc", "Cs") for c in path):
        raise malformed(
            "the name of a member is not allowed",
            "a relative path of plain names",
            sanitize_for_display(path, 100),
        )


def check_members(sizes: Mapping[str, int]) -> None:
    """Raises an error unless these are the members of a saved model, within the limits.

    Args:
        sizes: The size of each member, in bytes.
    """
    limits = current_limits()
    if len(sizes) > limits.zip_members:
        raise malformed("there are too many members", f"at most {limits.zip_members}", len(sizes))
    if NPZ_WEIGHTS in sizes:
        raise ModelFileError(
            "the weights are in NumPy's format, which Keras fills with pickled objects",
            expected=WEIGHTS,
            received=NPZ_WEIGHTS,
            fix="save the model in Keras with h5py installed",
        )
    for name in sizes:
        if len(name.encode("utf-8", "replace")) > NAME_BYTES:
            raise malformed(
                "the name of a member is too long",
                f"at most {NAME_BYTES} bytes",
                sanitize_for_display(name, 100),
            )
        if name.startswith(ASSETS):
            check_asset_path(name.removeprefix(ASSETS))
        elif name not in (CONFIG, METADATA, WEIGHTS):
            raise malformed(
                "there is an unknown member",
                f"{CONFIG}, {METADATA}, {WEIGHTS} and {ASSETS}...",
                sanitize_for_display(name, 100),
            )
    for name in (CONFIG, METADATA, WEIGHTS):
        if name not in sizes:
            raise malformed(
                f"there is no member {name}",
                f"{CONFIG}, {METADATA} and {WEIGHTS}",
                ", ".join(sorted(sizes)),
            )
    for name, most in ((CONFIG, limits.config_bytes), (METADATA, limits.metadata_bytes)):
        if sizes[name] > most:
            raise malformed(f"{name} is too large", f"at most {most} bytes", sizes[name])


def _member_bytes(view: ByteView, entry: Entry) -> bytes:
    with model_file_errors(sanitize_for_display(entry.name, 100)):
        return b"".join(bytes(chunk) for chunk in member_chunks(view, entry))


def _member_file(view: ByteView, entry: Entry, verify: bool) -> BinaryIO:
    """Returns a member as a file: a view of the archive if uncompressed, else a copy in memory."""
    if entry.method != STORED:
        return io.BytesIO(_member_bytes(view, entry))
    with model_file_errors(entry.name):
        for _ in member_chunks(view, entry) if verify else ():  # to its end, for its checksum
            pass
        return view.slice(entry.data_offset, entry.size)  # type: ignore[return-value]


def metadata_bytes(metadata: Mapping[str, Any], **own: Any) -> bytes:
    """Returns the content of metadata.json.

    Args:
        metadata: Entries that extend or replace Keras's version and date.
        **own: Entries below the key of keras_fn, which Keras does not read.
    """
    value = {
        "keras_version": KERAS_VERSION,
        "date_saved": _FIXED_DATE,
        **metadata,
        OWN_KEY: {"version": __version__, **own},
    }
    return json.dumps(value, allow_nan=False).encode("utf-8")
