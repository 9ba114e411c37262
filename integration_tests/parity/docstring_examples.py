"""The examples in the docstrings of real Keras's public names, and a runner for them."""

import ast
import builtins
import contextlib
import doctest
import importlib
import inspect
import io
import random
import re
import signal
import sys
import textwrap
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import keras_fn

SECONDS = 30  # that one example may take


class Statement(NamedTuple):
    """A part of an example that runs as one: a statement after a prompt, or a block."""

    source: str
    wanted: str | None  # the output that the docstring shows; None for a block


class Example(NamedTuple):
    """One block of code, or one run of prompts, of a docstring."""

    statements: tuple[Statement, ...]

    @property
    def source(self) -> str:
        return "\n".join(statement.source for statement in self.statements)


@dataclass
class Result:
    """What came of an example: the error that ended it, and the output of each statement."""

    error: BaseException | None = None
    where: str = ""
    outputs: list[str] = field(default_factory=list)


# ------------------------------------------------------------------------------ finding them


def documented(keras: ModuleType) -> dict[str, str]:
    """Returns each docstring of Keras's public names, by the name that has it first."""
    found: dict[str, str] = {}
    for name, value in _public(keras, "keras", set()):
        _add(found, name, value)
        if inspect.isclass(value):
            for base in value.__mro__:
                if base.__module__.startswith("keras."):
                    for member, function in vars(base).items():
                        if not member.startswith("_"):
                            function = getattr(function, "fget", function)
                            _add(found, f"{name}.{member}", getattr(function, "__func__", function))
    return {name: text for text, name in found.items()}


def _add(found: dict[str, str], name: str, value: Any) -> None:
    text = getattr(value, "__doc__", None)
    if isinstance(text, str) and callable(value):
        found.setdefault(inspect.cleandoc(text), name)


def _public(module: ModuleType, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if name.startswith("_") or id(value) in seen:
            continue
        if isinstance(value, ModuleType):
            if value.__name__.startswith("keras.") and ".src" not in value.__name__:
                seen.add(id(value))
                yield from _public(value, f"{prefix}.{name}", seen)
        elif callable(value):
            seen.add(id(value))
            yield f"{prefix}.{name}", value


_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|\n)(?:Examples?|Usage)[^\n]*:\n\n?((?:[ ]{4}[^\n]*\n|[ \t]*\n)+)")
_PARSER = doctest.DocTestParser()


def examples(text: str) -> list[Example]:
    """Returns the examples of a docstring in order: prompts, fenced blocks and indented ones."""
    found: list[Example] = []
    end = 0
    for fence in _FENCE.finditer(text):
        found += _prompts(text[end : fence.start()])
        code = textwrap.dedent(fence[1])
        found += _prompts(code) or _block(code)
        end = fence.end()
    found += _prompts(text[end:])
    if not found:
        for match in _INDENTED.finditer(text + "\n"):
            found += _block(textwrap.dedent(match[1]))
    return found


def _block(code: str) -> list[Example]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    # A single name or string is prose.
    calls = any(isinstance(node, ast.Call | ast.Import | ast.ImportFrom) for node in ast.walk(tree))
    return [Example((Statement(code, None),))] if calls else []


def _prompts(text: str) -> list[Example]:
    """Returns the prompts of a text: those that follow each other are one example."""
    try:
        parts = _PARSER.parse(text)
    except ValueError:  # inconsistent indents, or a prompt without a space
        return []
    found: list[Example] = []
    run: list[Statement] = []
    for part in [*parts, "end"]:
        if isinstance(part, doctest.Example):
            run.append(Statement(part.source, part.want))
        elif part.strip() and run:
            found.append(Example(tuple(run)))
            run = []
    return found


# ------------------------------------------------------------------------------ running them


@contextlib.contextmanager
def named_keras(package: ModuleType) -> Iterator[None]:
    """Makes `import keras`, and imports from its namespaces, give a package.

    Some docstrings import from `keras.src`, the files of Keras: the public name is meant.
    """
    if package.__name__ == "keras":
        yield
        return
    saved = {name: sys.modules.pop(name) for name in _keras_modules()}
    prefix = package.__name__
    for name in [x for x in sys.modules if x == prefix or x.startswith(f"{prefix}.")]:
        sys.modules[f"keras{name[len(prefix) :]}"] = sys.modules[name]
        sys.modules[f"keras.src{name[len(prefix) :]}"] = sys.modules[name]
    try:
        yield
    finally:
        for name in _keras_modules():
            del sys.modules[name]
        sys.modules |= saved


def _keras_modules() -> list[str]:
    return [name for name in sys.modules if name == "keras" or name.startswith("keras.")]


NAMESPACES = (
    "layers", "models", "ops", "losses", "metrics", "optimizers", "initializers", "regularizers",
    "constraints", "random", "utils", "callbacks", "saving", "tree", "config",
)  # fmt: skip
MODULES = ("collections", "json", "math", "numpy", "os")


def default_names(keras: ModuleType, own: str) -> dict[str, str]:
    """Returns the names that a docstring uses without an import, and what they stand for."""
    parts = own.split(".")
    names = {"keras": "keras", **{namespace: f"keras.{namespace}" for namespace in NAMESPACES}}
    owners = [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    for namespace in (*owners, "keras", *(f"keras.{namespace}" for namespace in NAMESPACES)):
        for name in dir(resolve(keras, namespace)):
            if not name.startswith("_") and not hasattr(builtins, name):
                names.setdefault(name, f"{namespace}.{name}")
    names.setdefault(parts[-1], own)
    return names


class Session:
    """The names that the examples of one docstring share, in one package."""

    def __init__(self, package: ModuleType, backend: str, names: dict[str, str]):
        self.package = package
        self.names: dict[str, Any] = {"__name__": "__main__", "np": np}
        self.names |= {name: importlib.import_module(name) for name in MODULES}
        self.names[{"tensorflow": "tf"}.get(backend, backend)] = sys.modules[backend]
        self.names |= {
            name: resolve(package, dotted) for name, dotted in names.items() if has(package, dotted)
        }
        model = package.Sequential([package.layers.Dense(1, activation="sigmoid")])
        model.build((None, 3))
        x, y = np.random.default_rng(0).random((8, 3), "float32"), np.zeros((8, 1), "float32")
        data = {"x": x, "y": y, "x_train": x, "y_train": y, "data": x, "labels": y}
        self.names |= {"model": model, "y_true": y, "y_pred": x[:, :1], **data}

    def run(self, example: Example) -> Result:
        """Runs an example up to its first error."""
        result = Result()
        for statement in example.statements:
            output = io.StringIO()
            mode = "exec" if statement.wanted is None else "single"
            try:
                with _alone(output), named_keras(self.package):
                    exec(compile(statement.source, "<example>", mode), self.names)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                if "Traceback" in (statement.wanted or ""):
                    output.write("raises\n")
                else:
                    result.error, result.where = error, _where(error, statement)
                    break
            result.outputs.append(output.getvalue())
        return result


def _where(error: BaseException, statement: Statement) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<example>"]
    source = statement.source.splitlines()
    return source[lines[0] - 1].strip() if lines and lines[0] else source[0]


@contextlib.contextmanager
def _alone(output: io.StringIO) -> Iterator[None]:
    """Captures output and warnings, ends what takes too long, and seeds NumPy and Python."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} s")

    random.seed(0)
    np.random.seed(0)
    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    offline = mock.patch("socket.create_connection", side_effect=OSError("no downloads here"))
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(output), offline:
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def restored(package: ModuleType) -> Iterator[None]:
    """Undoes what examples set for the whole process."""
    config = package.config
    settings = {
        name: getattr(config, name)() for name in ("floatx", "epsilon", "image_data_format")
    }
    policy = config.dtype_policy()
    package.utils.clear_session(free_memory=False)
    try:
        yield
    finally:
        for name, value in settings.items():
            getattr(config, f"set_{name}")(value)
        config.set_dtype_policy(policy)
        package.utils.clear_session(free_memory=False)


# ------------------------------------------------------------------------------ names


def resolve(package: ModuleType, dotted: str) -> Any:
    """Returns what a dotted name that begins with `keras` stands for in a package."""
    value: Any = package
    for part in dotted.split(".")[1:]:
        value = getattr(value, part)
    return value


def has(package: ModuleType, dotted: str) -> bool:
    try:
        resolve(package, dotted)
    except (AttributeError, ImportError):
        return False
    return True


def missing_names(keras: ModuleType, source: str, names: dict[str, str]) -> list[str]:
    """Returns the names of Keras that a program uses and keras_fn does not have yet."""
    aliases = dict(names)
    used: set[str] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                top = name.name.partition(".")[0]
                aliases[name.asname or top] = name.name if name.asname else top
                used.add(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                aliases[name.asname or name.name] = f"{node.module}.{name.name}"
                used.add(f"{node.module}.{name.name}")
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in aliases:
            used.add(".".join([aliases[node.id], *parts]))
    public = {name.replace("keras.src.", "keras.") for name in used if name.startswith("keras.")}
    return sorted(name for name in public if has(keras, name) and not has(keras_fn, name))


def missing_member(keras: ModuleType, error: BaseException | None) -> str | None:
    """Returns the member whose absence an error reports, if the class has it in Keras."""
    while error is not None:
        if isinstance(error, AttributeError) and error.name and error.obj is not None:
            kind = error.obj if inspect.isclass(error.obj) else type(error.obj)
            for base in kind.__mro__:
                for namespace in ("keras", "keras.layers", "keras.callbacks", "keras.utils"):
                    name = f"{namespace}.{base.__name__}"
                    if has(keras, f"{name}.{error.name}") and has(keras_fn, name):
                        return f"{name}.{error.name}"
        error = error.__cause__ or error.__context__
    return None


# ------------------------------------------------------------------------------ outputs

_CHECKER = doctest.OutputChecker()
_FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def matches(wanted: str, got: str) -> bool:
    """Whether an output is the wanted one, up to white space and the last digits of numbers."""
    if _CHECKER.check_output(wanted, got, _FLAGS):
        return True
    texts = [re.sub(r"\s+", "", _NUMBER.sub("#", text)) for text in (wanted, got)]
    numbers = [[float(x) for x in _NUMBER.findall(text)] for text in (wanted, got)]
    return (
        texts[0] == texts[1]
        and len(numbers[0]) == len(numbers[1])
        and np.allclose(*numbers, rtol=1e-4, atol=1e-6)
    )
