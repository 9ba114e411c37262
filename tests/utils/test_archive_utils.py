"""Archives that attack: each is refused, and nothing of it stays."""

import gzip
import io
import random
import stat
import tarfile
import threading
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_fn.utils import archive_utils
from keras_fn.utils.archive_utils import UnsafeArchiveError, extract_archive

CONTENT = b"some data " * 1000


def tar_of(*members: tuple[str, bytes | None], mode="w:gz", **attributes) -> bytes:
    """Returns a tar file; None as content is a folder, and the attributes go to each member."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def zip_of(*members: tuple[str, bytes | None], mode=0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo()
            info.filename = info.orig_filename = f"{name}/" if content is None else name
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content or b"")
    return buffer.getvalue()


@pytest.fixture
def unpack(tmp_path):
    """Returns a function that unpacks bytes into `<tmp_path>/in/out`."""
    folder = tmp_path / "in"
    folder.mkdir()

    def unpack(content: bytes, archive_format="auto", replace=False):
        (tmp_path / "archive").write_bytes(content)
        extract_archive(tmp_path / "archive", folder / "out", archive_format, replace=replace)
        return {
            p.relative_to(folder / "out").as_posix(): p.read_bytes() if p.is_file() else None
            for p in (folder / "out").rglob("*")
        }

    yield unpack
    assert not [p for p in folder.iterdir() if p.name != "out"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(unpack, mode):
    content = tar_of(("a", None), ("./a/b.txt", CONTENT), ("c/d/e.txt", b""), mode=mode)
    expected = {"a": None, "a/b.txt": CONTENT, "c": None, "c/d": None, "c/d/e.txt": b""}
    assert unpack(content) == expected
    assert unpack(content, "tar", replace=True) == expected
    assert unpack(content, ["zip", "tar"], replace=True) == expected


def test_zip(unpack):
    content = zip_of(("a", None), ("a/b.txt", CONTENT), ("c/d.txt", b""))
    assert unpack(content) == {"a": None, "a/b.txt": CONTENT, "c": None, "c/d.txt": b""}


OUTSIDE = [
    "../evil",
    "a/../../evil",
    "a/..",
    "/evil",
    "//evil",
    "..\\evil",
    "C:\\evil",
    "C:evil",
    "a:stream",
    "a\nb",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_path_outside_of_the_folder_raises(unpack, tmp_path, make, name):
    before = set(tmp_path.rglob("*"))
    with pytest.raises(UnsafeArchiveError, match="plain relative path"):
        unpack(make(("fine", CONTENT), (name, CONTENT)))
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "archive"}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_in_a_tar_raise(unpack, kind):
    with pytest.raises(UnsafeArchiveError, match="link or a special file"):
        unpack(tar_of(("a", b""), type=kind, linkname="/etc/passwd"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_raise(unpack, kind):
    with pytest.raises(UnsafeArchiveError, match="link or a special file"):
        unpack(zip_of(("a", b"/etc/passwd"), mode=kind | 0o777))


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_duplicate_name_raises(unpack, make):
    for second in ("a", "./a", "a/b"):
        with pytest.raises(UnsafeArchiveError, match="duplicate name"):
            unpack(make(("a", CONTENT), (second, b"other")))


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_an_archive_bomb_raises(unpack, make, monkeypatch):
    monkeypatch.setattr(archive_utils, "_ALLOWED_BYTES", 0)
    with pytest.raises(UnsafeArchiveError, match="inflates"):
        unpack(make(("zeros", bytes(10_000_000))))


def test_a_zip_member_larger_than_declared_raises(unpack):
    content = bytearray(zip_of(("a", CONTENT)))
    size = len(CONTENT).to_bytes(4, "little")
    for _ in range(2):  # in the local header and in the central directory
        at = content.index(size)
        content[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(ValueError):
        unpack(bytes(content))


def test_a_zip_member_before_the_start_of_the_file_raises(unpack):
    content = bytearray(zip_of(("a", CONTENT), ("b", CONTENT)))
    end = content.rindex(b"PK\x05\x06")
    size = int.from_bytes(content[end + 12 : end + 16], "little")
    content[end + 16 : end + 20] = (end - size + 500).to_bytes(4, "little")
    with pytest.raises(ValueError, match="expected: a complete zip archive"):
        unpack(bytes(content))


def test_an_encrypted_zip_raises(unpack):
    content = bytearray(zip_of(("a", CONTENT)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnsafeArchiveError, match="encrypted"):
        unpack(bytes(content))


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_damaged_archive_leaves_nothing(unpack, make, tmp_path):
    whole = make(("a", bytes(range(256)) * 50), ("b", CONTENT))
    for damaged in (whole[: len(whole) // 2], whole[:60] + b"\xff" * 20 + whole[80:]):
        with pytest.raises(ValueError, match="archive"):
            unpack(damaged)
    assert not (tmp_path / "in" / "out").exists()


@pytest.mark.parametrize("archive_format", ["auto", "tar", "zip", ["tar"], None, [], "rar"])
def test_another_file_format_raises(unpack, archive_format):
    with pytest.raises(ValueError, match="in another format"):
        unpack(b"no archive at all", archive_format)


def test_an_unsafe_archive_keeps_the_old_folder(unpack):
    before = unpack(zip_of(("a", CONTENT)))
    with pytest.raises(UnsafeArchiveError):
        unpack(zip_of(("../a", CONTENT)), replace=True)
    assert unpack(zip_of(("b", b"")), replace=False) == before


def test_two_threads_extract_concurrently(tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(zip_of(*((f"{i}", CONTENT) for i in range(50))))
    barrier = threading.Barrier(4)

    def unpack(_):
        barrier.wait()
        extract_archive(archive, tmp_path / "out", replace=False)
        return len(list((tmp_path / "out").iterdir()))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(unpack, range(4))) == {50}
    assert {p.name for p in tmp_path.iterdir()} == {"archive", "out"}


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("name", ["n" * 300, "/".join(["folder"] * 1000)], ids=["part", "path"])
def test_too_long_a_name_raises(unpack, make, name):
    with pytest.raises(UnsafeArchiveError, match="too long"):
        unpack(make((name, b"x")))


def test_a_bomb_of_empty_files_raises(unpack, monkeypatch):
    monkeypatch.setattr(archive_utils, "_ALLOWED_BYTES", 0)
    monkeypatch.setattr(archive_utils, "_MAX_COMPRESSION_RATIO", 20)
    with pytest.raises(UnsafeArchiveError, match="inflates"):
        unpack(tar_of(*((f"d/{i}", b"") for i in range(300))))


def _header_bomb(kind: bytes) -> bytes:
    """Returns a small tar file whose first header declares 100 MiB, all of which are there."""
    info, size = tarfile.TarInfo("a"), 100 << 20
    info.type, info.size = kind, size
    file = io.BytesIO()
    with gzip.open(file, "wb", compresslevel=1) as archive:
        archive.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(100):
            archive.write(b"1 1=1\n\n\n" * (1 << 17))
    return file.getvalue()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_in_a_header_raises(unpack, kind):
    tracemalloc.start()
    try:
        with pytest.raises(UnsafeArchiveError, match="header"):
            unpack(_header_bomb(kind))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_inflates_by_small_pieces(unpack, method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("zeros", bytes(20 << 20))
    assert len(file.getvalue()) < 1 << 16
    assert len(unpack(file.getvalue())["zeros"]) == 20 << 20


def test_a_sparse_file_that_declares_terabytes_raises(unpack):
    size = f"{1 << 40}"
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": size}
    with pytest.raises(ValueError, match="get_file, unpacking"):
        unpack(tar_of(("a", b"1\n0\n1\n".ljust(512, b"\0") + b"x"), pax_headers=pax, mode="w"))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_tar_cut_off_anywhere_raises(unpack, mode, tmp_path):
    whole = tar_of(("a", bytes(range(256)) * 50), mode=mode)
    for end in (3, 12, 40, len(whole) - 3):
        with pytest.raises(ValueError, match="get_file, unpacking"):
            unpack(whole[:end])
    assert not (tmp_path / "in" / "out").exists()


def test_damage_within_a_bz2_raises(unpack):
    content = bytearray(tar_of(("a", random.Random(0).randbytes(1_000_000)), mode="w:bz2"))
    content[950_000] ^= 1
    with pytest.raises(ValueError, match="expected: a complete tar archive"):
        unpack(bytes(content))
