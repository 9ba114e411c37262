"""The `.keras` archive: a zip file of config.json, metadata.json, model.weights.h5 and assets.

Nothing is extracted to disk: members are read as bytes, or through a view of the file.
"""

import dataclasses
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

from keras_fn.errors import SpecError
from keras_fn.saving.byte_view import ByteView
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
from keras_fn.saving.strict_zip import STORED, Entry, malformed, member_chunks, read_entries
from keras_fn.version import KERAS_VERSION

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ASSETS = "assets/"

# Constant, so that the same model results in the same file.
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_FIXED_DATE = "1980-01-01@00:00:00"
_OWN_KEY, _DIGESTS_KEY = "keras_fn", "sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNIX, _REGULAR_FILE = 3, 0o100644 << 16
_NPZ_WEIGHTS = "model.weights.npz"

Buffer = bytes | bytearray | memoryview


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
        is_verified: The members were compared with SHA-256 digests in the metadata.
    """

    name: str
    config: bytes
    metadata: dict[str, Any]
    weights: BinaryIO
    assets: dict[str, bytes]
    is_verified: bool

    @property
    def weights_name(self) -> str:
        """The name of the weights in error messages."""
        return f"{self.name}, {WEIGHTS}"

    def parse_config(self) -> Any:
        """Returns the value of config.json."""
        with model_file_errors(self.name, CONFIG):
            return parse_json(self.config)


def read_archive(file: BinaryIO) -> Archive:
    """Reads and checks a `.keras` file.

    The whole file is read once, for its checksums. An uncompressed member of weights is not copied.

    Args:
        file: A binary, seekable file.

    Raises:
        ModelFileError: The file is not a well-formed `.keras` archive, or a checksum is wrong.
    """
    name = describe(file)
    with model_file_errors(name):
        view = ByteView.of_file(file)
        entries = {entry.name: entry for entry in read_entries(view)}
        _check_members(entries)
        metadata_bytes = _member_bytes(view, entries[METADATA], None)
        with model_file_errors(METADATA):
            metadata = parse_json(metadata_bytes)
            digests = _digests(metadata, entries)
        config = _member_bytes(view, entries[CONFIG], digests.get(CONFIG))
        weights = _member_file(view, entries[WEIGHTS], digests.get(WEIGHTS))
        assets = {
            path.removeprefix(ASSETS): _member_bytes(view, entry, digests.get(path))
            for path, entry in entries.items()
            if path.startswith(ASSETS)
        }
    return Archive(name, config, metadata, weights, assets, bool(digests))


def write_archive(
    file: BinaryIO, members: Mapping[str, Buffer], metadata: Mapping[str, Any] | None = None
) -> None:
    """Writes a `.keras` file, for `read_archive` and Keras. The result is reproducible.

    Args:
        file: An empty, seekable file object.
        members: The content of `config.json`, `model.weights.h5` and any `assets/...`.
        metadata: Entries of metadata.json, which extend or replace Keras's version and date.

    Raises:
        ModelFileError: `read_archive` could not read the result.
    """
    with error_context(describe(file)):
        for name in members:
            if name == METADATA:
                raise ModelFileError(
                    "metadata.json is written from `metadata`", received="a member of that name"
                )
        content = {
            METADATA: _metadata_bytes(members, metadata or {}),
            **dict(sorted(members.items())),
        }
        sizes = {name: memoryview(data).nbytes for name, data in content.items()}
        _check_members(
            {name: Entry(name, STORED, 0, size, size, 0) for name, size in sizes.items()}
        )
        with error_context(CONFIG):
            parse_json(bytes(content[CONFIG]))
    if file.tell() != 0:
        raise SpecError(
            "write_archive",
            expected="an empty file",
            received=f"a file at position {file.tell()}",
            fix="open a new file",
        )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.create_system, info.external_attr = _UNIX, _REGULAR_FILE
            archive.writestr(info, memoryview(data).cast("B"))


def check_asset_path(path: str) -> None:
    """Raises an error unless `path` is a plain relative path, as the name of an asset must be."""
    parts = path.split("/")
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


def _check_members(entries: Mapping[str, Entry]) -> None:
    """Raises an error unless these are the members of a `.keras` file, within the limits."""
    limits = current_limits()
    if len(entries) > limits.zip_members:
        raise malformed("there are too many members", f"at most {limits.zip_members}", len(entries))
    if _NPZ_WEIGHTS in entries:
        raise ModelFileError(
            "the weights are in NumPy's format, which Keras fills with pickled objects",
            expected=WEIGHTS,
            received=_NPZ_WEIGHTS,
            fix="save the model in Keras with h5py installed",
        )
    for name in entries:
        if name.startswith(ASSETS):
            check_asset_path(name.removeprefix(ASSETS))
        elif name not in (CONFIG, METADATA, WEIGHTS):
            raise malformed(
                "there is an unknown member",
                f"{CONFIG}, {METADATA}, {WEIGHTS} and {ASSETS}...",
                sanitize_for_display(name, 100),
            )
    for name in (CONFIG, METADATA, WEIGHTS):
        if name not in entries:
            raise malformed(
                f"there is no member {name}",
                f"{CONFIG}, {METADATA} and {WEIGHTS}",
                ", ".join(sorted(entries)),
            )
    for name, most in ((CONFIG, limits.config_bytes), (METADATA, limits.metadata_bytes)):
        if entries[name].size > most:
            raise malformed(f"{name} is too large", f"at most {most} bytes", entries[name].size)


def _digests(metadata: Any, entries: Mapping[str, Entry]) -> dict[str, str]:
    """Returns the SHA-256 digests in the metadata, which only keras_fn writes, or {}."""
    if not isinstance(metadata, dict):
        raise ModelFileTypeError(
            "the metadata is not a JSON object", expected="dict", received=type(metadata).__name__
        )
    own = metadata.get(_OWN_KEY)
    if own is None:
        return {}
    digests = own.get(_DIGESTS_KEY) if isinstance(own, dict) else None
    if not isinstance(digests, dict) or not all(
        isinstance(value, str) and _DIGEST.fullmatch(value) for value in digests.values()
    ):
        raise malformed(
            "the digests are malformed",
            f"{_OWN_KEY}: {_DIGESTS_KEY}: names to 64 hexadecimal digits",
        )
    if set(digests) != set(entries) - {METADATA}:
        raise malformed(
            "the digests are not those of the members",
            sorted(set(entries) - {METADATA}),
            sorted(digests),
        )
    return digests


def _member_bytes(view: ByteView, entry: Entry, digest: str | None) -> bytes:
    with model_file_errors(sanitize_for_display(entry.name, 100)):
        content = bytearray()
        _consume(view, entry, digest, content)
        return bytes(content)


def _member_file(view: ByteView, entry: Entry, digest: str | None) -> BinaryIO:
    """Returns a member as a file: a view of the archive if uncompressed, else a copy in memory."""
    with model_file_errors(entry.name):
        if entry.method == STORED:
            _consume(view, entry, digest, None)
            return view.slice(entry.data_offset, entry.size)  # type: ignore[return-value]
        content = bytearray()
        _consume(view, entry, digest, content)
        return io.BytesIO(content)


def _consume(view: ByteView, entry: Entry, digest: str | None, content: bytearray | None) -> None:
    """Reads a member and checks its checksums; appends it to `content` if that is not None."""
    actual = hashlib.sha256() if digest is not None else None
    for chunk in member_chunks(view, entry):
        if actual is not None:
            actual.update(chunk)
        if content is not None:
            content += chunk
    if actual is not None and actual.hexdigest() != digest:
        raise malformed(
            "the content is not what was saved (SHA-256 differs)", digest, actual.hexdigest()
        )


def _metadata_bytes(members: Mapping[str, Buffer], metadata: Mapping[str, Any]) -> bytes:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(members.items())}
    value = {
        "keras_version": KERAS_VERSION,
        "date_saved": _FIXED_DATE,
        **metadata,
        _OWN_KEY: {_DIGESTS_KEY: digests},
    }
    return json.dumps(value, allow_nan=False).encode("utf-8")
