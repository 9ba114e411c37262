"""A server on this machine that answers as the Hugging Face Hub does, from files in memory."""

import base64
import hashlib
import importlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_RESOLVE = re.compile(r"/(\w+/[\w.\-]+)/resolve/([^/]+)/(.+)")
_API = re.compile(r"/api/models/(\w+/[\w.\-]+)/(\w+)/([^/]+)")
COMMIT = "0" * 39 + "1"


class HubServer:
    """The server, and what is on it.

    Attributes:
        repos: The files of each repository by their names.
        log: The methods and paths of the requests.
        declares: What the server adds to the declared size of each file.
        stops_after: After how many bytes of a file the server closes the connection.
    """

    def __init__(self):
        self.repos: dict[str, dict[str, bytes]] = {}
        self.log: list[str] = []
        self.declares = 0
        self.stops_after: int | None = None
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "HubServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def replace_hub(server: HubServer, monkeypatch: Any, cache: Path) -> None:
    """Makes the library `huggingface_hub` ask the server, and never wait before it asks again."""
    constants = importlib.import_module("huggingface_hub.constants")
    url = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    download = importlib.import_module("huggingface_hub.file_download")
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    importlib.import_module("huggingface_hub.utils").disable_progress_bars()


class _Handler(BaseHTTPRequestHandler):
    server_state: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        self.server_state.log.append(f"{self.command} {self.path}")

    def do_HEAD(self):
        self._get()

    def do_GET(self):
        self._get()

    def _get(self):
        hub, path = self.server_state, unquote(urlsplit(self.path).path)
        if match := _RESOLVE.fullmatch(path):
            repo, _, name = match.groups()
            if repo not in hub.repos:
                return self._error(401, "RepoNotFound")
            if name not in hub.repos[repo]:
                return self._error(404, "EntryNotFound")
            return self._file(hub.repos[repo][name])
        if (match := _API.fullmatch(path)) and match[1] in hub.repos:
            files = hub.repos[match[1]]
            if match[2] == "tree":
                answer = [
                    {"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                    for n, d in files.items()
                ]
            else:
                siblings = [{"rfilename": name} for name in files]
                answer = {"id": match[1], "sha": COMMIT, "siblings": siblings, "private": False}
            return self._json(answer)
        return self._error(404, "RepoNotFound")

    def do_POST(self):
        hub, path = self.server_state, urlsplit(self.path).path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "/api/repos/create":
            request = json.loads(body)
            repo = f"{request['organization']}/{request['name']}"
            hub.repos.setdefault(repo, {})
            return self._json({"url": f"{hub.endpoint}/{repo}", "name": repo, "id": repo})
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        match = _API.fullmatch(path)
        if match and match[2] == "preupload":
            files = json.loads(body)["files"]
            return self._json(
                {"files": [{**f, "uploadMode": "regular", "shouldIgnore": False} for f in files]}
            )
        if match and match[2] == "commit":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    hub.repos[match[1]][entry["value"]["path"]] = content
            url = f"{hub.endpoint}/{match[1]}/commit/{COMMIT}"
            return self._json({"commitOid": COMMIT, "commitUrl": url})
        return self._error(404, "RepoNotFound")

    def _file(self, data: bytes):
        hub = self.server_state
        start = int((self.headers.get("Range") or "bytes=0-")[len("bytes=") :].partition("-")[0])
        self.send_response(206 if start else 200)
        size = len(data) + hub.declares
        self.send_header("Content-Length", str(size - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "GET":
            stop = len(data) if hub.stops_after is None else start + hub.stops_after
            self.wfile.write(data[start:stop])
            if stop < len(data) or hub.declares:
                self.close_connection = True

    def _json(self, value: object):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, code: str):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
