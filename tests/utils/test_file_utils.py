"""`get_file` against a server on 127.0.0.1 that can misbehave."""

import hashlib
import io
import os
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keras_fn import settings
from keras_fn.utils import file_utils
from keras_fn.utils.file_utils import get_file

CONTENT = bytes(range(256)) * 64
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


_LENGTHS = {  # by the path
    "/odd-length": "many",
    "/zeros-length": f"{len(CONTENT):05000}",
    "/enormous-length": "9" * 5000,
}


class Server(ThreadingHTTPServer):
    """Counts requests; `/cut` promises more than it sends, `/gone` is an error."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.requests = CONTENT, 0
        self.is_closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.requests += 1
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/redirect/"))
            self.end_headers()
            return
        self.send_response(200)
        if self.path in _LENGTHS:
            self.send_header("Content-Length", _LENGTHS[self.path])
        elif self.path != "/unknown-length":
            more = 1000 if self.path in ("/cut", "/stall") else 0
            length = len(self.server.content) + more
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(self.server.content)
        if self.path == "/stall":
            self.server.is_closing.wait(10)

    def log_message(self, format, *args): ...


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.is_closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_file_is_downloaded_once(server, home):
    path = get_file("a.bin", f"{server.url}/a.bin", file_hash=SHA256)
    assert path == str(home / "datasets" / "a.bin")
    assert Path(path).read_bytes() == CONTENT
    assert get_file("a.bin", f"{server.url}/a.bin", file_hash=SHA256.upper()) == path
    assert server.requests == 1 and files(home) == {"datasets/a.bin"}


def test_the_name_comes_from_the_url(server, home):
    path = get_file(origin=f"{server.url}/some%20folder/b.bin?version=2#part")
    assert Path(path).name == "b.bin"


def test_folders_can_be_chosen(server, home, tmp_path):
    path = get_file("a", f"{server.url}/a", cache_dir=tmp_path / "x", cache_subdir="y/z")
    assert path == str(tmp_path / "x" / "y" / "z" / "a")
    path = get_file("a", f"{server.url}/a", cache_subdir=tmp_path / "absolute")
    assert path == str(tmp_path / "absolute" / "a")


def test_the_new_file_has_the_usual_mode(server, home):
    path = Path(get_file("a", f"{server.url}/a"))
    usual = path.with_name("usual")
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode


def test_force_download_downloads_again(server, home):
    path = get_file("a", f"{server.url}/a")
    server.content = b"newer"
    assert Path(get_file("a", f"{server.url}/a")).read_bytes() == CONTENT
    assert Path(get_file("a", f"{server.url}/a", force_download=True)).read_bytes() == b"newer"
    assert files(home) == {"datasets/a"} and path


@pytest.mark.parametrize(
    "options",
    [
        {"file_hash": MD5},
        {"file_hash": MD5, "hash_algorithm": "md5"},
        {"md5_hash": MD5},
        {"file_hash": SHA256, "hash_algorithm": "sha256"},
    ],
)
def test_hashes_are_checked(server, home, options):
    get_file("a", f"{server.url}/a", **options)
    server.content = b"other"
    with pytest.raises(ValueError, match="hash at its source"):
        get_file("b", f"{server.url}/b", **options)
    assert files(home) == {"datasets/a"}


def test_a_cached_file_of_another_hash_is_replaced(server, home):
    path = Path(get_file("a", f"{server.url}/a"))
    path.write_bytes(b"half of it")
    with pytest.warns(UserWarning, match="downloaded again"):
        get_file("a", f"{server.url}/a", file_hash=SHA256)
    assert path.read_bytes() == CONTENT


def test_a_wrong_download_leaves_the_cached_file(server, home):
    path = Path(get_file("a", f"{server.url}/a"))
    server.content = b"tampered"
    with pytest.raises(ValueError, match=SHA256):
        get_file("a", f"{server.url}/a", file_hash=SHA256, force_download=True)
    assert path.read_bytes() == CONTENT and files(home) == {"datasets/a"}


@pytest.mark.parametrize("page", ["cut", "gone"])
def test_an_interrupted_download_leaves_nothing_behind(server, home, page):
    with pytest.raises(OSError, match=f"/{page} could not be downloaded"):
        get_file("a", f"{server.url}/{page}")
    assert files(home) == set()


def test_a_server_that_stops_halfway_is_an_error(server, home, monkeypatch):
    monkeypatch.setattr(file_utils, "_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(OSError, match="/stall could not be downloaded"):
        get_file("a", f"{server.url}/stall")
    assert files(home) == set()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "data:,x", "/redirect/" * 20])
def test_a_redirection_reaches_no_local_file(server, home, target):
    with pytest.raises(OSError, match="could not be downloaded"):
        get_file("a", f"{server.url}/redirect/{target}")
    assert files(home) == set()


def test_what_a_killed_download_left_is_removed_by_a_later_one(server, home):
    folder = home / "datasets"
    (folder / f".{'0' * 16}.part").mkdir(parents=True)
    (folder / f".{'0' * 16}.part" / "a").touch()
    for name in (f".{'1' * 16}.part", f".{'2' * 16}.part", "mine.part"):
        (folder / name).touch()
    for path in folder.iterdir():
        if "2" not in path.name:
            os.utime(path, (0, 0))
    get_file("a", f"{server.url}/a")
    assert files(home) == {"datasets/a", "datasets/mine.part", f"datasets/.{'2' * 16}.part"}


def test_a_download_stopped_by_the_user_leaves_nothing_behind(server, home, monkeypatch):
    def stopped(origin, title):
        yield CONTENT
        raise KeyboardInterrupt

    monkeypatch.setattr(file_utils, "_download_chunks", stopped)
    with pytest.raises(KeyboardInterrupt):
        get_file("a", f"{server.url}/a")
    assert files(home) == set()


def test_an_unreachable_server_raises_with_a_fix(home):
    with pytest.raises(OSError, match="put the file at"):
        get_file("a", "http://127.0.0.1:1/a")


@pytest.mark.parametrize("page", ["unknown-length", "odd-length"])
def test_a_server_without_content_length(server, home, page):
    assert Path(get_file("a", f"{server.url}/{page}")).read_bytes() == CONTENT


def test_a_length_of_thousands_of_digits_is_an_error_of_ours(server, home):
    assert Path(get_file("a", f"{server.url}/zeros-length")).read_bytes() == CONTENT
    with pytest.raises(OSError, match="enormous-length"):
        get_file("b", f"{server.url}/enormous-length")
    assert files(home) == {"datasets/a"}


def test_many_threads_download_the_same_file(server, home):
    def fetch(_):
        return Path(get_file("a", f"{server.url}/a", file_hash=SHA256)).read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(fetch, range(16))) == {CONTENT}
    assert files(home) == {"datasets/a"}


@pytest.mark.parametrize("name", ["../a", "a/b", "/a", "..", ".", "a\\b", "a\0b"])
def test_a_name_with_folders_raises(server, home, name):
    with pytest.raises(ValueError, match="bare file name"):
        get_file(name, f"{server.url}/a")
    assert server.requests == 0


@pytest.mark.parametrize("path", ["", "/", "/..", "/a/%2e%2e", "/a%00b", "/%5C..%5Ca"])
def test_a_url_without_a_usable_name_raises(server, home, path):
    with pytest.raises(ValueError, match="fname="):
        get_file(origin=server.url + path)
    assert server.requests == 0


@pytest.mark.parametrize("origin", [None, "", "gs://bucket/a", "data:,a", "/etc/passwd"])
def test_an_unsupported_origin_raises(home, origin):
    with pytest.raises(ValueError, match="origin"):
        get_file("a", origin)


@pytest.mark.parametrize("options", [{"file_hash": "abc"}, {"hash_algorithm": "crc32"}])
def test_an_unknown_hash_algorithm_raises(server, home, options):
    with pytest.raises(ValueError, match="sha256sum"):
        get_file("a", f"{server.url}/a", **options)
    assert server.requests == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_cache_that_cannot_be_written_is_an_error(server, home):
    home.mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        get_file("a", f"{server.url}/a")


def test_only_a_long_download_shows_a_bar(server, home, capsys, monkeypatch):
    get_file("a", f"{server.url}/a")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(file_utils, "_LONG_DOWNLOAD_BYTES", 1)
    get_file("b", f"{server.url}/b")
    assert "Downloading b" in capsys.readouterr().out
    monkeypatch.setattr(settings.settings, "interactive_logging", False)
    get_file("c", f"{server.url}/c")
    assert capsys.readouterr().out == ""


def zip_of(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, CONTENT)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("fname", "archive", "folder"),
    [
        (None, "data.zip_archive", "data.zip"),
        ("mine", "mine_archive", "mine"),
        ("mine.tar.gz", "mine.tar.gz", "mine_extracted"),
    ],
)
def test_the_folder_of_an_archive_is_named_as_in_keras(server, home, fname, archive, folder):
    server.content = zip_of("inner/a.bin")
    path = get_file(fname, f"{server.url}/data.zip", extract=True)
    assert path == str(home / "datasets" / folder)
    assert files(home) == {f"datasets/{archive}", f"datasets/{folder}/inner/a.bin"}
    get_file(fname, f"{server.url}/data.zip", extract=True)
    assert server.requests == 1


def test_the_hash_is_checked_before_extraction(server, home):
    server.content = zip_of("a.bin")
    with pytest.raises(ValueError, match="sha256"):
        get_file("x", f"{server.url}/x", extract=True, file_hash=SHA256)
    assert files(home) == set()


def test_a_newer_archive_replaces_the_folder(server, home):
    server.content = zip_of("old")
    get_file("x", f"{server.url}/x", extract=True)
    server.content = zip_of("new")
    path = Path(get_file("x", f"{server.url}/x", extract=True, force_download=True))
    assert files(path) == {"new"} and files(home) == {"datasets/x/new", "datasets/x_archive"}


def test_untar_requires_a_tar(server, home):
    server.content = zip_of("a")
    with pytest.raises(ValueError, match="'tar'"):
        get_file("x", f"{server.url}/x", untar=True)
