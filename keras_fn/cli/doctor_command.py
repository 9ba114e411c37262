"""Checks this installation: Python, the backends and their devices, settings, the cache, optional
libraries. For each fault it says what to do."""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from keras_fn import settings
from keras_fn.cli import output
from keras_fn.cli.output import Fields, Table
from keras_fn.version import KERAS_VERSION, __version__

OK, NOTE, FAULT, ABSENT = "ok", "note", "fault", "absent"

_DISTRIBUTION = "keras-fn"
_SECONDS = 120
_PROBE = """
import json
from keras_fn.backend.loader import current
from keras_fn import ops
assert float(ops.sum(ops.ones((2, 2)))) == 4.0
list_devices = getattr(current(), "list_devices", lambda: ["cpu:0"])
print("\\n" + json.dumps(list_devices()))
"""
# What needs an optional library, and the name of its distribution.
_OPTIONAL = (
    ("PIL", "pillow", "reading and writing of images"),
    ("cv2", "opencv-python-headless", "fast reading of images"),
    ("matplotlib", "matplotlib", "plots"),
    ("pydot", "pydot", "plots of models with Graphviz"),
    ("pandas", "pandas", "tables as data"),
    ("scipy", "scipy", "some data sets and tests"),
    ("sklearn", "scikit-learn", "keras.wrappers"),
    ("tensorboard", "tensorboard", "the TensorBoard callback"),
    ("orbax.checkpoint", "orbax-checkpoint", "OrbaxCheckpoint"),
    ("huggingface_hub", "huggingface-hub", "hf:// paths"),
    ("onnx", "onnx", "export to ONNX"),
    ("onnxruntime", "onnxruntime", "running of exported ONNX models"),
)
_VARIABLES = (
    "KERAS_BACKEND",
    "KERAS_HOME",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "KERAS_FN_ALIASES",
    "CUDA_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "XLA_FLAGS",
    "TF_CPP_MIN_LOG_LEVEL",
    "OMP_NUM_THREADS",
)
_KEYS = ("backend", "epsilon", "floatx", "image_data_format")
_FREE_BYTES = 1 << 30


class Finding(NamedTuple):
    """A finding.

    Attributes:
        subject: What was looked at.
        state: `"ok"`, `"note"`, `"fault"`, or `"absent"` for what is not needed.
        detail: What there is.
        fix: What to do about a fault.
    """

    subject: str
    state: str
    detail: str
    fix: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "--fast", action="store_true", help="start no backend: no devices, and a second or less"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code: 1 if something is wrong."""
    findings = list(examine(probes=not arguments.fast))
    faults = [finding for finding in findings if finding.state == FAULT]
    if arguments.json:
        values = [finding._asdict() for finding in findings]
        output.show_json("doctor", {"ok": not faults, "findings": values})
        return int(bool(faults))
    rows = [finding[:3] for finding in findings]
    fixes = [(finding.subject, finding.fix) for finding in findings if finding.fix]
    output.show(Table("", ("what", "state", "found"), rows), Fields("What to do", fixes))
    return int(bool(faults))


def examine(probes: bool = True) -> Iterator[Finding]:
    """Yields the findings.

    Args:
        probes: Whether to start each installed backend, in a process of its own.
    """
    yield Finding("Python", OK, f"{platform.python_version()}, {platform.platform()}")
    yield Finding("keras_fn", OK, f"{__version__}, the API of Keras {KERAS_VERSION}")
    yield from _backends(probes)
    yield from _settings()
    yield from _cache()
    yield from _libraries()


# ---------------------------------------------------------------- backends


def _backends(probes: bool) -> Iterator[Finding]:
    installed = {
        name: library
        for name, (_, library) in settings.BUILTIN_BACKENDS.items()
        if settings.is_installed(library)
    }
    with ThreadPoolExecutor(len(settings.BUILTIN_BACKENDS)) as pool:
        devices = dict(
            zip(installed, pool.map(_probe, installed) if probes else [""] * 3, strict=False)
        )
    for name in settings.BUILTIN_BACKENDS:
        if name in installed:
            yield _backend(name, installed[name], devices[name])
        else:
            yield Finding(f"backend {name}", ABSENT, "not installed")
    chosen = settings.settings.backend
    if not installed and chosen in (None, *settings.BUILTIN_BACKENDS):
        yield Finding("backend in use", FAULT, "none is installed", "pip install jax, or torch, or "
                      "tensorflow")  # fmt: skip
    elif chosen in settings.BUILTIN_BACKENDS and chosen not in installed:
        yield Finding(
            "backend in use", FAULT, f"{chosen}, which is not installed",
            f"pip install {chosen}, or set KERAS_BACKEND to {' or '.join(installed)}",
        )  # fmt: skip
    elif chosen is None or chosen in installed:
        yield Finding("backend in use", OK, chosen or next(iter(installed)))
    else:
        points = {point.name for point in metadata.entry_points(group="keras_fn.backends")}
        is_known = chosen in points
        yield Finding(
            "backend in use", OK if is_known else FAULT, str(chosen),
            "" if is_known else f"set KERAS_BACKEND to {' or '.join(installed)}",
        )  # fmt: skip


def _backend(name: str, library: str, devices: str) -> Finding:
    version, minimum = _version(library), _minimum(name)
    subject = f"backend {name}"
    if version is None:
        return Finding(subject, NOTE, f"{library} of an unknown version. {devices}".strip())
    detail = f"{library} {version}" + (f", {devices}" if devices else "")
    if devices.startswith("it does not start"):
        return Finding(subject, FAULT, detail, f"reinstall it: pip install -U {library}")
    if minimum is not None and version not in minimum.specifier:
        return Finding(
            subject, FAULT, f"{detail}, not supported: {minimum.specifier} is needed",
            f"pip install -U '{library}{minimum.specifier}'",
        )  # fmt: skip
    return Finding(subject, OK, detail)


def _version(library: str) -> str | None:
    for name in (library, f"{library}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _minimum(name: str) -> Requirement | None:
    """Returns the requirement of a backend, from the metadata of this package."""
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    found = [Requirement(line) for line in lines if line.endswith(f'extra == "{name}"')]
    found += [Requirement(line) for line in lines if line.endswith(f"extra == '{name}'")]
    library = settings.BUILTIN_BACKENDS[name][1]
    return next((requirement for requirement in found if requirement.name == library), None)


def _probe(name: str) -> str:
    """Starts a backend in a process of its own; returns its devices, or why it does not start."""
    environment = {**os.environ, "KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True, text=True, timeout=_SECONDS, env=environment, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not start: {type(error).__name__}"
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        devices = json.loads(lines[-1])
        return f"devices {', '.join(map(str, devices))}"
    reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return f"it does not start: {reason[:200]}"


# ---------------------------------------------------------------- settings and cache


def _settings() -> Iterator[Finding]:
    path = settings.home() / "keras.json"
    yield _check_config_file(path)
    found = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    for name, value in found.items():
        is_limit = name.startswith("KERAS_MAX_")
        if is_limit and not (value.isdecimal() and int(value)):
            fix = f"set {name} to a positive integer, or unset it"
            yield Finding(name, FAULT, f"{value!r}, which is ignored", fix)
        else:
            yield Finding(name, OK, value)
    if (version := _version("keras")) is not None:
        detail = f"keras {version} is installed too; `import keras` is that one without `run`"
        yield Finding("real Keras", NOTE, detail)


def _check_config_file(path: Path) -> Finding:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Finding("config file", ABSENT, f"{path}, which is not needed")
    except (OSError, UnicodeDecodeError) as error:
        return Finding("config file", FAULT, f"{path}: {error}", f"fix or delete {path}")
    try:
        values = json.loads(text)
    except ValueError as error:
        return Finding("config file", FAULT, f"{path}, not JSON: {error}", f"fix or delete {path}")
    if not isinstance(values, Mapping):
        return Finding("config file", FAULT, f"{path}, no JSON object", f"fix or delete {path}")
    shown = ", ".join(f"{key}={values[key]!r}" for key in _KEYS if key in values)
    backend: Any = values.get("backend")
    known = settings.BUILTIN_BACKENDS.get(backend) if isinstance(backend, str) else None
    if known and not settings.is_installed(known[1]) and not os.environ.get("KERAS_BACKEND"):
        fix = f"pip install {backend}, set KERAS_BACKEND, or change {path}"
        return Finding("config file", NOTE, f"{path}: {shown}; its backend is not installed", fix)
    return Finding("config file", OK, f"{path}: {shown}")


def _cache() -> Iterator[Finding]:
    home = settings.home()
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding(
            "cache", FAULT, f"{home} cannot be written: {error.strerror}",
            "set KERAS_HOME to a folder that can be written",
        )  # fmt: skip
        return
    free = shutil.disk_usage(existing).free
    detail = f"{home}, {output.format_bytes(free)} free"
    if free < _FREE_BYTES:
        fix = "free some space, or set KERAS_HOME to a folder on another disk"
        yield Finding("cache", NOTE, detail, fix)
    else:
        yield Finding("cache", OK, detail)


def _libraries() -> Iterator[Finding]:
    for module, distribution, use in _OPTIONAL:
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            version = _find(module)
        if version is None:
            yield Finding(distribution, ABSENT, f"for {use}: pip install {distribution}")
        else:
            yield Finding(distribution, OK, f"{version}, for {use}".removeprefix(", "))
    if importlib.util.find_spec("pydot") is not None and shutil.which("dot") is None:
        yield Finding("graphviz", ABSENT, "the program dot, for plots: install graphviz")


def _find(module: str) -> str | None:
    """Returns "" if a module of an unknown version can be imported, None if it cannot."""
    try:
        return "" if importlib.util.find_spec(module) is not None else None
    except ModuleNotFoundError:
        return None
