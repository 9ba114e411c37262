"""A process that reads mutated files under limits, and reports what no reader may do.

    python tests/saving/fuzz_worker.py FOLDER FIRST COUNT [STEP]

It prints the number of each mutation before it reads the file, a line of JSON for each fault, and
at the end the counts of results. A number is all that is needed to repeat a mutation: COUNT 1
prints the traceback.
"""

import collections
import json
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.saving.fuzz_formats import (
    Format,
    clear,
    inspect_and_verify,
    make_formats,
    write_mutated,
)
from tests.saving.fuzz_mutations import CANARY, SECRET
from tests.saving.load_worker import limit_memory

SEED = 2026
SECONDS = 2.0  # of the processor
# What reading a file never does. `open` is looked at below.
_FORBIDDEN = {
    "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pickle.find_class", "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen",
    "urllib.Request", "webbrowser.open",
}  # fmt: skip
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
)

_PYTHON = (sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]))  # lazy imports


class Guard:
    """Notes what the program does outside of some folders, while it is active."""

    def __init__(self, *folders: Path):
        self.folders = tuple(map(str, folders))
        self.active = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple) -> None:
        if not self.active:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event} {arguments}"[:200])
        elif event == "open" or event in _CHANGES:
            reads = event == "open" and not _is_write(arguments)
            if not self._is_allowed(arguments[0], reads):
                self.seen.append(f"{event} {arguments}"[:200])

    def _is_allowed(self, path: Any, reads: bool) -> bool:
        """Returns whether a file is one of the mutated ones, or belongs to Python."""
        if isinstance(path, int):  # an open file
            return True
        path = os.fsdecode(path)
        if SECRET in path:
            return False
        # `shutil.rmtree` names entries relative to a folder that it opened.
        is_entry = "/" not in path and path not in (".", "..")
        return path.startswith(self.folders) or is_entry or (reads and path.startswith(_PYTHON))


def _is_write(arguments: tuple) -> bool:
    mode, flags = arguments[1], arguments[2]
    return bool(mode and set("wax+") & set(str(mode))) or bool(
        isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )


class Fuzzer:
    """Reads mutated files of every format in one folder."""

    def __init__(self, folder: Path):
        self.home = folder
        self.mark = folder / "canary_ran"
        (folder / f"{CANARY}.py").write_text(
            f"def run(*a, **k): open({str(self.mark)!r}, 'w').close()\nrun()\n"
        )
        (folder / SECRET).write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
        sys.path.append(str(folder))
        os.chdir(folder)
        (samples := folder / "samples").mkdir()
        self.formats = make_formats(samples)
        self.drawn = [name for name, form in self.formats.items() for _ in range(form.weight)]
        self.folder, self.temporary = folder / "mutated", folder / "temporary"
        self.folder.mkdir()
        self.temporary.mkdir()
        tempfile.tempdir = str(self.temporary)  # assets are there, while a model is loaded
        self.counts: collections.Counter[str] = collections.Counter()
        for form in self.formats.values():  # so that nothing is imported, or compiled, later
            for sample in form.samples:
                path = self._write(form, sample)
                self._read(form, path, sample.model, random.Random(0))
                if form.is_inspected:
                    inspect_and_verify(path)
        self.guard = Guard(self.folder, self.temporary)

    def _write(self, form: Format, sample: Any) -> Path:
        clear(self.folder)
        for name, content in sample.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self.folder / min(sample.files).partition("/")[0]

    def _read(
        self, form: Format, path: Path, model: Any, rng: random.Random, is_command: bool = False
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if is_command:
                inspect_and_verify(path)
            else:
                form.read(path, model, rng)

    def run(self, number: int) -> dict[str, Any] | None:
        """Reads one mutated file and returns its fault, None if there is none."""
        rng = random.Random(f"{SEED} {number}")
        name = self.drawn[number % len(self.drawn)]
        form = self.formats[name]
        sample, other = rng.choice(form.samples), rng.choice(form.samples)
        clear(self.folder)
        path = write_mutated(form, sample, other, rng, self.folder)
        is_command = form.is_inspected and rng.random() < 0.15
        self.guard.seen.clear()
        result, trace, start = "read", "", time.process_time()
        self.guard.active = True
        try:
            self._read(form, path, sample.model, rng, is_command)
        except form.errors as error:
            result = type(error).__name__
            fault = _fault_of_message(str(error))
            trace = traceback.format_exc() if fault else ""
        except BaseException as error:
            result, fault = type(error).__name__, "an undocumented error"
            trace = traceback.format_exc()
        else:
            fault = ""
        finally:
            self.guard.active = False
        seconds = time.process_time() - start
        self.counts[f"{name}: {result}"] += 1
        if self.guard.seen:
            fault = f"it touched {self.guard.seen}"
        if left := os.listdir(self.temporary):
            clear(self.temporary)
            fault = f"it left temporary files: {left}"
        if self.mark.exists() or CANARY in sys.modules:
            fault = "it ran code"
        if seconds > SECONDS:
            fault = f"it took {seconds:.1f} s"
        if not fault:
            return None
        return {"number": number, "format": name, "fault": fault, "trace": trace[-4000:]}


def _fault_of_message(message: str) -> str:
    if len(message) >= 2000:
        return f"its message has {len(message)} characters"
    if not message.replace("\n", "").isprintable():
        return f"its message has control characters: {message!r}"
    return "it took too much memory" if "more memory than there is" in message else ""


def main() -> None:
    folder, first, count, step = Path(sys.argv[1]), *map(int, [*sys.argv[2:], "1"][:3])
    fuzzer = Fuzzer(folder.resolve())
    limit_memory()
    for number in range(first, first + count * step, step):
        print(number, flush=True)
        if fault := fuzzer.run(number):
            print(json.dumps(fault), flush=True)
    print(json.dumps({"counts": fuzzer.counts}), flush=True)


if __name__ == "__main__":
    main()
