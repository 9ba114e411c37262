"""Every check of the project, each in an environment of its own.

`nox -s tests` runs them all and ends with a table of what passed. `nox -l` lists the parts;
`nox -R -s "unit(jax)" -- -k relu` runs one again in the environment that it has already.
"""

import sys
import tomllib
import zipfile
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
# What tests use beside a backend: what it is compared with, what feeds it, what it is kept in.
BESIDE = {
    "jax": ("optax", "orbax-checkpoint", "grain"),
    "torch": ("torchdata", "grain"),
    "tensorflow": ("grain",),
}
ROOTS = ("keras_fn", *(f"backends/keras_fn_{backend}" for backend in FRAMEWORKS))
PARTS = (
    "lint",
    "types",
    "wheel",
    "unit(jax)",
    "unit(torch)",
    "unit(tensorflow)",
    "example_backend",
    "docs",
)
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
    # nox runs what is notified after this session and prints the closing table itself.
    for part in PARTS:
        session.notify(part)


@nox.session
@nox.parametrize("backend", list(FRAMEWORKS), ids=list(FRAMEWORKS))
def unit(session: nox.Session, backend: str) -> None:
    """Unit and integration tests where this backend alone is installed."""
    _install(session, backend)
    _pytest(session, backend, "-n", "2", *session.posargs)


@nox.session
@nox.parametrize("backend", list(FRAMEWORKS), ids=list(FRAMEWORKS))
def oldest(session: nox.Session, backend: str) -> None:
    """The same tests on the oldest supported release of the framework."""
    _install(session, backend, oldest=True)
    _pytest(session, backend, "-n", "2", *session.posargs)


@nox.session
def example_backend(session: nox.Session) -> None:
    """The conformance suite and whole models on a backend that is not part of the project."""
    session.install("-e", ".[test]", *CONSTRAINTS)
    session.install("-e", "tests/numpy_backend", *CONSTRAINTS)
    _pytest(session, "numpy", "-n", "2", "--pyargs", "keras_fn.testing.conformance")
    _pytest(session, "numpy", "tests/backend", "tests/numpy_backend")


@nox.session
@nox.parametrize("backend", list(FRAMEWORKS), ids=list(FRAMEWORKS))
def parity(session: nox.Session, backend: str) -> None:
    """Ops, losses, metrics and optimizers beside those of real Keras on the same backend."""
    _install(session, backend)
    session.install("keras", *CONSTRAINTS)
    files = [f"integration_tests/parity/parity_{part}.py" for part in ("ops", "training")]
    _pytest(session, backend, "-n", "2", *files, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Examples in docstrings, and the code blocks of README.md and docs/."""
    _install(session, "jax")
    examples = ("--doctest-modules", "keras_fn", "--ignore=keras_fn/testing")
    _pytest(session, "jax", *examples, "tests/test_docs.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's lint rules and its format."""
    session.install("ruff", *CONSTRAINTS)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of keras_fn and of the backends."""
    session.install("basedpyright", "-e", ".[plot,sklearn]", *FRAMEWORKS["jax"], *CONSTRAINTS)
    session.run("basedpyright", "--warnings")


@nox.session
def wheel(session: nox.Session) -> None:
    """Builds the wheel, checks what is in it, and uses it away from the sources."""
    folder = Path(session.create_tmp())
    for stale in folder.glob("*.whl"):
        stale.unlink()
    session.run("python", "-m", "pip", "wheel", "--no-deps", "-w", str(folder), ".", silent=True)
    (built,) = folder.glob("*.whl")
    _check_contents(session, built)
    session.install(str(built), *CONSTRAINTS)
    session.chdir(folder)
    session.run("python", "-I", "-c", WITHOUT_A_FRAMEWORK)


@nox.session
def demo(session: nox.Session) -> None:
    """The main job, on JAX: builds, trains, evaluates, saves, reloads and plots a model."""
    session.install(".[jax,plot]", *CONSTRAINTS)
    session.run("python", "-m", "keras_fn.demo", *session.posargs, env={"KERAS_BACKEND": "jax"})


@nox.session
@nox.parametrize("backend", list(FRAMEWORKS), ids=list(FRAMEWORKS))
def bench(session: nox.Session, backend: str) -> None:
    """Speed and memory against programs in the framework itself, and against real Keras."""
    _install(session, backend)
    session.install("keras", *CONSTRAINTS)
    session.run(
        "python", "integration_tests/benchmarks", *session.posargs, env={"KERAS_BACKEND": backend}
    )


def _install(session: nox.Session, backend: str, *, oldest: bool = False) -> None:
    """Installs the project, its test tools and one framework."""
    constraints = ("-c", _oldest_constraints(session, backend)) if oldest else CONSTRAINTS
    # The framework first: its pin must be in force before anything else asks for it.
    session.install(*FRAMEWORKS[backend], *constraints)
    session.install("-e", ".[test,plot]", *BESIDE[backend], *constraints)


def _oldest_constraints(session: nox.Session, backend: str) -> str:
    """Writes the constraints with the framework's pins moved to its floor in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    floors = dict(r.split(">=") for r in project["optional-dependencies"][backend])
    if backend == "tensorflow":
        floors["tensorflow-cpu"] = floors["tensorflow"]
    pins = (ROOT / "requirements-test.txt").read_text("utf-8").splitlines()
    lines = [line for line in pins if line.partition("==")[0] not in floors]
    lines += [f"{name}=={version}" for name, version in floors.items()]
    path = Path(session.create_tmp()) / "constraints.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def _pytest(session: nox.Session, backend: str, *args: str) -> None:
    folder = Path(session.create_tmp())
    env = {
        "KERAS_BACKEND": backend,
        # A home of its own: the user's keras.json and downloads have no part in a test.
        "KERAS_HOME": str(folder / "keras"),
        # What the tests and the programs that they start compile alike is compiled once.
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    session.run("pytest", *args, env=env)


def _check_contents(session: nox.Session, built: Path) -> None:
    """Fails unless the wheel holds every file of the four roots, and nothing beside them."""
    expected = {
        path.relative_to((ROOT / root).parent).as_posix()
        for root in ROOTS
        for path in (ROOT / root).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(built) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    typed = {f"{Path(root).name}/py.typed" for root in ROOTS}
    if problems := (expected | typed) ^ found:
        session.error(f"{built.name}: missing or unexpected: {sorted(problems)}")
