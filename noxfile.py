"""Every check of the project, each in an environment of its own.

`nox -s tests` runs what every push must pass, and ends with the time of each part and its
budget. `nox -s thorough` is what takes too long for every push. `nox -l` lists the parts;
`nox -R -s "unit(jax)" -- -k relu` runs one again in the environment that it has already.
"""

import json
import os
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["tests"]
nox.options.stop_on_first_error = False

ROOT = Path(__file__).parent
CONSTRAINTS = ("-c", "requirements-test.txt")
# What is installed for a backend. tensorflow-cpu is smaller, but exists on Linux alone.
FRAMEWORKS = {
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
    "tensorflow": ("tensorflow-cpu" if sys.platform == "linux" else "tensorflow",),
}
# What tests use in addition to a backend: references, sources of data, formats of checkpoints.
TEST_LIBRARIES = {
    "jax": ("optax", "orbax-checkpoint", "grain", "flatbuffers"),
    "torch": (
        "torchdata",
        "grain",
        "opencv-python-headless",
        "simplejpeg",
        "onnx",
        "onnxruntime",
        "onnxscript",
    ),
    "tensorflow": ("grain",),
}
# Libraries that import Keras: see integration_tests/clients.
CLIENTS = ("keras-hub", "keras-rs", "keras-tuner", "scikeras")
BACKENDS = nox.parametrize("backend", list(FRAMEWORKS), ids=list(FRAMEWORKS))
ROOTS = ("keras_fn", *(f"backends/keras_fn_{backend}" for backend in FRAMEWORKS))
# The parts of `tests`, in order, each with its budget in seconds on two quiet cores, installs
# included. One over its budget is to be shortened, or moved to `thorough`.
BUDGETS = {
    "lint": 10,
    "wheel": 15,
    "unit(jax)": 600,
    "types": 30,
    "docs": 90,
    "unit(torch)": 540,
    "unit(tensorflow)": 480,
    "example_backend": 60,
}
# How many calls are drawn of each case of the conformance suite.
FEW_EXAMPLES = {"KERAS_FN_EXAMPLES": "2"}
MANY_EXAMPLES = {"KERAS_FN_EXAMPLES": "50"}
# XLA compiles small programs, which run once, in a third of the time. Only for JAX as it is pinned:
# an older one, or TensorFlow, may not know the flags. The thorough run has the compiler of users.
FAST_XLA = {
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
    "--xla_cpu_parallel_codegen_split_count=1",
    "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",
}
# At every push, tests of code that calls no backend run on one of them: see tests/conftest.py.
SKIP_BACKEND_FREE = {"KERAS_FN_BACKEND_FREE": "skip"}
EVERY_PUSH = {
    "jax": FEW_EXAMPLES | FAST_XLA | SKIP_BACKEND_FREE,
    "torch": FEW_EXAMPLES,
    "tensorflow": FEW_EXAMPLES | SKIP_BACKEND_FREE,
}
TYPE_CHECKER = ("basedpyright",)
WITHOUT_A_FRAMEWORK = """
import sys, keras_fn
from keras_fn.datasets import digits
(x, y), _ = digits.load_data()
assert x.shape == (1437, 8, 8), x.shape
assert not {"jax", "torch", "tensorflow"} & set(sys.modules)
print("keras_fn", keras_fn.__version__, "from", keras_fn.__file__)
"""


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Runs every part; a failing one does not stop the others, but fails the whole."""
    for stale in _timings().glob("*.json"):
        stale.unlink()
    # nox runs what is notified after this session and prints the closing table itself.
    for part in ("lint", "wheel", "jax", "unit(torch)", "unit(tensorflow)", "example_backend"):
        session.notify(part)
    session.notify("timings")


@nox.session(venv_backend="none")
def thorough(session: nox.Session) -> None:
    """Runs what takes too long for a push: fuzzing, oldest frameworks, parity, speed, clients."""
    for part in ("unit_thorough", "oldest", "pipelines", "parity", "bench"):
        for backend in FRAMEWORKS:
            session.notify(f"{part}({backend})")
    for backend in ("jax", "torch"):
        session.notify(f"clients({backend})")


@nox.session(venv_backend="none")
def timings(session: nox.Session) -> None:
    """Prints what the parts of `tests` took, and the slowest tests."""
    slowest: list[tuple[float, str]] = []
    print(f"{'part':<20}{'seconds':>10}{'budget':>10}")
    total = 0.0
    for part, budget in BUDGETS.items():
        path = _timings() / f"{part}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text("utf-8"))
        total += record["seconds"]
        slowest += [(seconds, f"{part} {test}") for seconds, test in record["tests"]]
        over = "  over" if record["seconds"] > budget else ""
        print(f"{part:<20}{record['seconds']:>10.0f}{budget:>10}{over}")
    print(f"{'total':<20}{total:>10.0f}{sum(BUDGETS.values()):>10}\n\nslowest tests")
    for seconds, test in sorted(slowest, reverse=True)[:10]:
        print(f"{seconds:>8.1f} s  {test}")


@nox.session
@BACKENDS
def unit(session: nox.Session, backend: str) -> None:
    """Unit and integration tests where this backend alone is installed."""
    with _timed(f"unit({backend})"):
        _install(session, backend)
        _pytest(session, backend, "-n", "2", *session.posargs, **EVERY_PUSH[backend])


@nox.session
@BACKENDS
def unit_thorough(session: nox.Session, backend: str) -> None:
    """The same tests with many more drawn examples, and those that take too long for every push."""
    _install(session, backend)
    marks = ("-m", "not types")
    seed = {"KERAS_FN_SEED": os.environ.get("KERAS_FN_SEED", str(int(time.time())))}
    _pytest(session, backend, "-n", "2", *marks, *session.posargs, **MANY_EXAMPLES, **seed)


@nox.session
def jax(session: nox.Session) -> None:
    """unit(jax), types and docs in one environment, which has all that the three need."""
    with _timed("unit(jax)"):
        _install(session, "jax", *TYPE_CHECKER)
        _pytest(session, "jax", "-n", "2", **EVERY_PUSH["jax"])
    _check_types(session)
    _check_docs(session)


@nox.session
@BACKENDS
def oldest(session: nox.Session, backend: str) -> None:
    """The same tests on the oldest supported release of the framework."""
    _install(session, backend, oldest=True)
    _pytest(session, backend, "-n", "2", *session.posargs)


@nox.session
def example_backend(session: nox.Session) -> None:
    """The conformance suite and whole models on a backend that is not part of the project."""
    with _timed("example_backend"):
        session.install("-e", ".[test]", *CONSTRAINTS)
        session.install("-e", "tests/numpy_backend", *CONSTRAINTS)
        _pytest(
            session, "numpy", "-n", "2", "--pyargs", "keras_fn.testing.conformance", **FEW_EXAMPLES
        )
        _pytest(session, "numpy", "tests/backend", "tests/numpy_backend")


@nox.session
@BACKENDS
def parity(session: nox.Session, backend: str) -> None:
    """Ops, layers, losses, metrics, optimizers, habits, docstrings' examples next to real Keras."""
    _install(session, backend, "keras")
    parts = (
        "ops",
        "layers",
        "image_layers",
        "color_layers",
        "quantizers",
        "quantization",
        "applications",
        "text",
        "data",
        "utils",
        "models",
        "saving",
        "saving_models",
        "hub",
        "facade",
        "training",
        "export",
        "habits",
        "docstrings",
    )
    files = [f"integration_tests/parity/parity_{part}.py" for part in parts]
    _pytest(session, backend, "-n", "2", "--dist", "loadgroup", *files, *session.posargs)


@nox.session
@BACKENDS
def clients(session: nox.Session, backend: str) -> None:
    """Libraries that import Keras, unedited: what passes with real Keras, and with keras_fn."""
    _install(session, backend, "keras", *CLIENTS)
    env = {"KERAS_BACKEND": backend, "KERAS_HOME": str(Path(session.create_tmp()) / "keras")}
    session.run("python", "integration_tests/clients", *session.posargs, env=env)


@nox.session
@BACKENDS
def pipelines(session: nox.Session, backend: str) -> None:
    """What needs all frameworks: preprocessing in tf.data, DataLoader and Grain, and exports."""
    others = [library for name in FRAMEWORKS for library in FRAMEWORKS[name]]
    _install(session, backend, *others)
    files = (
        "tests/layers/preprocessing/test_pipelines.py",
        "tests/models/test_feature_space.py",
        "tests/export",
        "tests/layers/interop",
    )
    _pytest(session, backend, "-m", "not types", *files)


@nox.session
def docs(session: nox.Session) -> None:
    """Examples in docstrings, and the code blocks of README.md and docs/."""
    _install(session, "jax")
    _check_docs(session)


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's lint rules and its format."""
    with _timed("lint"):
        session.install("ruff", *CONSTRAINTS)
        session.run("ruff", "check", ".")
        session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of keras_fn and of the backends, and of the public API as users see it."""
    _install(session, "jax", *TYPE_CHECKER)
    _check_types(session)


@nox.session
def wheel(session: nox.Session) -> None:
    """Builds the wheel, checks what is in it, and uses it away from the sources."""
    with _timed("wheel"):
        folder = Path(session.create_tmp())
        for stale in folder.glob("*.whl"):
            stale.unlink()
        session.run(
            "python", "-m", "pip", "wheel", "--no-deps", "-w", str(folder), ".", silent=True
        )
        (built,) = folder.glob("*.whl")
        _check_contents(session, built)
        session.install(str(built), *CONSTRAINTS)
        session.chdir(folder)
        session.run("python", "-I", "-c", WITHOUT_A_FRAMEWORK)
        session.run("keras-fn", "--version")


@nox.session
def demo(session: nox.Session) -> None:
    """The main job, on JAX: builds, trains, evaluates, saves, reloads and plots a model."""
    session.install(".[jax,plot]", *CONSTRAINTS)
    session.run("python", "-m", "keras_fn.demo", *session.posargs, env={"KERAS_BACKEND": "jax"})


@nox.session
@BACKENDS
def bench(session: nox.Session, backend: str) -> None:
    """Speed and memory against programs in the framework itself, and against real Keras."""
    _install(session, backend, "keras")
    session.run(
        "python", "integration_tests/benchmarks", *session.posargs, env={"KERAS_BACKEND": backend}
    )


def _install(session: nox.Session, backend: str, *more: str, oldest: bool = False) -> None:
    """Installs the project, its test tools, one framework and what else is named."""
    constraints = ("-c", _oldest_constraints(session, backend)) if oldest else CONSTRAINTS
    # The framework first: its pin must be in force before anything else asks for it.
    session.install(*FRAMEWORKS[backend], *constraints)
    session.install("-e", ".[test,plot]", *TEST_LIBRARIES[backend], *more, *constraints)


def _oldest_constraints(session: nox.Session, backend: str) -> str:
    """Writes the constraints with the framework's pins moved to its minimum in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    minimums = dict(r.split(">=") for r in project["optional-dependencies"][backend])
    if backend == "tensorflow":
        minimums["tensorflow-cpu"] = minimums["tensorflow"]
    pins = (ROOT / "requirements-test.txt").read_text("utf-8").splitlines()
    lines = [line for line in pins if line.partition("==")[0] not in minimums]
    lines += [f"{name}=={version}" for name, version in minimums.items()]
    path = Path(session.create_tmp()) / "constraints.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def _check_types(session: nox.Session) -> None:
    with _timed("types"):
        session.run("basedpyright", "--warnings")
        session.run("pytest", "-m", "types", "tests/test_types.py")


def _check_docs(session: nox.Session) -> None:
    with _timed("docs"):
        examples = ("--doctest-modules", "keras_fn", "--ignore=keras_fn/testing")
        _pytest(session, "jax", "-n", "2", *examples, "tests/test_docs.py", **FAST_XLA)


def _pytest(session: nox.Session, backend: str, *args: str, **more: str) -> None:
    folder = Path(session.create_tmp())
    env = {
        "KERAS_BACKEND": backend,
        # A home of its own: the user's keras.json and downloads have no part in a test.
        "KERAS_HOME": str(folder / "keras"),
        # The tests and the programs that they start share one cache of compiled functions.
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "KERAS_FN_DURATIONS": str(_timings() / "durations.json"),
        **more,
    }
    session.run("pytest", *args, env=env)


def _timings() -> Path:
    folder = ROOT / ".nox" / "timings"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _timed(part: str) -> Iterator[None]:
    """Records what a part took, and the slowest tests that pytest left (see conftest.py)."""
    durations = _timings() / "durations.json"
    durations.unlink(missing_ok=True)
    start = time.perf_counter()
    try:
        yield
    finally:
        slowest = json.loads(durations.read_text("utf-8")) if durations.exists() else []
        record = {"seconds": time.perf_counter() - start, "tests": slowest}
        (_timings() / f"{part}.json").write_text(json.dumps(record), "utf-8")


def _check_contents(session: nox.Session, built: Path) -> None:
    """Fails unless the wheel holds every file of the four roots, and nothing else."""
    expected = {
        path.relative_to((ROOT / root).parent).as_posix()
        for root in ROOTS
        for path in (ROOT / root).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(built) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    typed = {f"{Path(root).name}/py.typed" for root in ROOTS}
    if problems := (expected | typed) ^ packed:
        session.error(f"{built.name}: missing or unexpected: {sorted(problems)}")
