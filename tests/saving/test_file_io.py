"""Files are opened narrowly and replaced in one step."""

import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from keras_fn.saving import unfinished
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.file_io import (
    atomic_write,
    open_for_reading,
    open_for_writing,
    reserve_space,
)

ROOT = Path(__file__).parents[2]


def save(path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)


def run_python(code: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(
    "url",
    ["http://h/m.keras", "https:m", "gs://b/m.keras", "hf://a/b", "hf:a", "file:///m", "S3://b"],
)
@pytest.mark.parametrize("use", [open_for_reading, atomic_write])
def test_urls_are_refused(use, url):
    with pytest.raises(ValueError, match="only local files"), use(url):
        pass


def test_a_local_name_with_a_colon_has_a_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("./a:b.keras", b"x")
    with open_for_reading(os.path.join(".", "a:b.keras")) as file:
        assert file.read() == b"x"


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_unusable_paths_are_refused(path):
    with pytest.raises(ModelFileError), open_for_reading(path):
        pass


def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero"):
        with pytest.raises(ModelFileError, match="not a regular file"), open_for_reading(path):
            pass
        with pytest.raises(ModelFileError, match="not a regular file"), atomic_write(path):
            pass


def test_folders_and_missing_files_are_os_errors(tmp_path):
    with pytest.raises(IsADirectoryError), open_for_reading(tmp_path):
        pass
    with pytest.raises(FileNotFoundError), open_for_reading(tmp_path / "none"):
        pass


def test_missing_folders_are_created_and_a_file_in_their_place_is_named(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "m.keras") as file:
        file.write(b"x")
    assert (tmp_path / "a" / "b" / "m.keras").read_bytes() == b"x"
    with (
        pytest.raises(OSError, match=r"m\.keras"),
        atomic_write(tmp_path / "a" / "b" / "m.keras" / "n.keras"),
    ):
        pass


def test_file_objects_are_used_and_left_open():
    buffer = io.BytesIO(b"abc")
    with open_for_reading(buffer) as file:
        assert file is buffer
    with open_for_writing(buffer) as file:
        file.write(b"xyz")
    assert buffer.getvalue() == b"xyz"


def test_a_file_object_holds_what_was_written_and_nothing_before():
    buffer = io.BytesIO(b"something longer")
    with open_for_writing(buffer) as file:
        file.write(b"xyz")
    assert buffer.getvalue() == b"xyz"


def test_a_file_object_that_is_not_at_its_beginning_is_an_error(tmp_path):
    buffer = io.BytesIO(b"abcdef")
    buffer.seek(3)
    with pytest.raises(ModelFileError, match="position 3"), open_for_writing(buffer):
        pass
    assert buffer.getvalue() == b"abcdef"
    with (
        open(tmp_path / "file", "ab") as appended,
        pytest.raises(ModelFileError, match="mode 'ab'"),
        open_for_writing(appended),
    ):
        pass


@pytest.mark.parametrize("thing", [3, None, io.StringIO("x"), object()])
def test_other_things_are_type_errors(thing):
    with pytest.raises(ModelFileTypeError), open_for_reading(thing):
        pass


def test_a_new_file_follows_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        save(tmp_path / "m.keras", b"new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "m.keras").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o640])
def test_a_replaced_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    path.chmod(mode)
    save(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(tmp_path) == ["m.keras"]


def test_a_private_file_is_private_while_it_is_written(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with atomic_write(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600


def test_a_symbolic_link_stays_and_its_target_changes(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "m.keras", tmp_path / "link.keras"
    target.write_bytes(b"old")
    link.symlink_to(target)
    save(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_dangling_link_is_filled_and_a_looping_one_refused(tmp_path):
    dangling, loop = tmp_path / "a", tmp_path / "b"
    dangling.symlink_to(tmp_path / "target")
    save(dangling, b"new")
    assert (tmp_path / "target").read_bytes() == b"new"
    loop.symlink_to(loop)
    with pytest.raises(OSError) as caught:
        save(loop, b"new")
    assert caught.value.errno == errno.ELOOP


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.keras"]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_failing_system_call_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="broken disk"):
        save(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.keras"]


def large_save(path):
    with atomic_write(path) as file:
        for i in range(40):
            file.write(bytes([i]) * 2**20)


def test_a_large_file_is_whole_with_and_without_a_thread_that_syncs_it(tmp_path, monkeypatch):
    large_save(tmp_path / "a")

    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    large_save(tmp_path / "b")
    content = b"".join(bytes([i]) * 2**20 for i in range(40))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="syncs in another way")
def test_an_error_of_the_disk_while_more_is_written_fails_the_save(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "fdatasync", fail)  # which the system reports only once
    with pytest.raises(OSError, match="broken disk"):
        large_save(tmp_path / "a")
    assert not os.listdir(tmp_path)


def test_space_is_reserved_on_a_disk_alone(tmp_path, monkeypatch):
    reserve_space(io.BytesIO(), 2**21)
    with open(tmp_path / "a", "wb") as file:
        file.write(b"head")
        reserve_space(file, 2**21)
        file.write(b"x" * 2**21)
    assert (tmp_path / "a").read_bytes() == b"head" + b"x" * 2**21

    def fail(descriptor, offset, size, code=errno.EOPNOTSUPP):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", fail, raising=False)
    with open(tmp_path / "a", "wb") as file:
        reserve_space(file, 2**21)
        monkeypatch.setattr(os, "posix_fallocate", partial(fail, code=errno.ENOSPC))
        with pytest.raises(OSError, match="space"):
            reserve_space(file, 2**21)


KILLED = """
import os, signal, sys
from keras_fn.saving.file_io import atomic_write
with atomic_write(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_the_next_save_removes_what_a_killed_one_left_and_nothing_that_is_being_written(tmp_path):
    path = tmp_path / "m.keras"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout.readline() == b"ready\n"
        with atomic_write(tmp_path / "other") as file:
            file.write(b"x")
        assert len(list(tmp_path.glob(".keras_fn-*.tmp"))) == 1  # of the other process
        run.communicate(b"\n")
    assert len(list(tmp_path.glob(".keras_fn-*.tmp"))) == 1
    with atomic_write(path) as file:
        file.write(b"whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras", "other"]
    assert path.read_bytes() == b"whole"


KILLED_FOLDER = """
import os, signal, sys
from keras_fn.saving.folder_writer import atomic_folder
with atomic_folder(sys.argv[1], []) as folder:
    (folder / "config.json").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_save_of_a_file_removes_the_folder_that_a_killed_one_left(tmp_path):
    command = [sys.executable, "-c", KILLED_FOLDER, str(tmp_path / "model")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "config.json").exists()
    save(tmp_path / "m.keras", b"whole")
    assert os.listdir(tmp_path) == ["m.keras"]


def test_a_folder_that_cannot_be_listed_can_be_written_to(tmp_path, monkeypatch):
    real_open = os.open

    def refuse(path, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    def open_file(path, *arguments, **options):
        refused = os.fspath(path) == str(tmp_path)
        return (refuse if refused else real_open)(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "open", open_file)
    save(tmp_path / "m.keras", b"x")
    assert (tmp_path / "m.keras").read_bytes() == b"x"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_an_error_names_the_file_and_not_a_temporary_one():
    with pytest.raises(OSError, match=r"'/proc/m\.keras'"), atomic_write("/proc/m.keras"):
        pass


def test_without_file_locks_a_killed_save_is_known_by_its_age(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "fcntl", None)  # as on Windows
    old, new = tmp_path / ".keras_fn-1.tmp", tmp_path / ".keras_fn-2.tmp"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    unfinished.remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no users")
@pytest.mark.parametrize("is_own", [True, False])
def test_the_journal_of_another_user_removes_nothing(tmp_path, monkeypatch, is_own):
    shard = tmp_path / "m_00001.weights.h5"
    shard.write_bytes(b"x")
    files = {"index": ["m.json", 0], "new": {shard.name: shard.stat().st_ino}, "old": {}}
    journal = unfinished._JOURNAL + json.dumps(files).encode()
    (tmp_path / ".keras_fn-1.tmp").write_bytes(journal)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user if is_own else user + 1)
    unfinished.remove_unfinished(tmp_path)
    assert shard.exists() == (not is_own)


@pytest.mark.skipif(sys.platform == "win32", reason="makes a link and a pipe")
def test_a_link_or_pipe_of_the_name_of_an_unfinished_file_is_not_opened(tmp_path):
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / ".keras_fn-1.tmp").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / ".keras_fn-2.tmp")
    unfinished.remove_unfinished(tmp_path)
    assert (tmp_path / ".keras_fn-1.tmp").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


FULL_DISK = """
import resource, sys
import numpy as np
from keras_fn.saving.archive import write_archive
from keras_fn.saving.file_io import atomic_write
from keras_fn.saving.hdf5.writer import build_hdf5
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with atomic_write(sys.argv[1]) as file:
        weights = build_hdf5({"vars/0": np.zeros(10**6, "float32")})
        write_archive(file, {"config.json": b"{}", "model.weights.h5": weights})
except OSError as error:
    print("OSError", error.errno)
"""


def test_a_full_disk_is_an_os_error_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    process = run_python(FULL_DISK, path)
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output.split()) == (0, ["OSError", str(errno.EFBIG)])
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.keras"]


SAVE_FOREVER = """
import sys
from keras_fn.saving.file_io import atomic_write
for i in range(10**9):
    with atomic_write(sys.argv[1]) as file:
        for _ in range(64):
            file.write(bytes([i % 256]) * 16384)
    print("saved", flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.01, 0.03])
def test_a_kill_in_the_middle_leaves_a_whole_file(tmp_path, delay):
    path = tmp_path / "m.keras"
    process = run_python(SAVE_FOREVER, path)
    assert process.stdout and process.stdout.readline() == "saved\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    content = path.read_bytes()
    assert len(content) == 64 * 16384
    assert len(set(content)) == 1
