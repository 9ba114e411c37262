"""keras_fn under the name keras, in processes of their own: `install`, and `python -m keras_fn`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_fn
from keras_fn.alias import finder, installation
from keras_fn.cli.main import main
from keras_fn.cli.run_command import USAGE

RUN = ("-m", "keras_fn", "run")

# What a program sees: the same objects by both names, also in workers.
PROGRAM = """
import importlib, inspect, multiprocessing, pickle, pkgutil, subprocess, sys

import keras as K
import keras.layers
import keras_fn
from keras.utils import to_categorical
from keras.datasets import mnist

def work(_):
    import keras, keras_fn
    return keras.layers is keras_fn.layers, keras.__version__

if __name__ == "__main__":
    assert keras.layers is keras_fn.layers and mnist is keras_fn.datasets.mnist
    assert to_categorical is keras_fn.utils.to_categorical and keras is K
    assert sys.modules["keras.layers"] is sys.modules["keras_fn.layers"]
    assert keras.__version__ == keras.version() == "3.15.1" != keras_fn.__version__
    assert set(dir(keras_fn)) - {"install"} <= set(dir(keras))

    for module in (keras, keras.layers, keras.utils):
        assert importlib.reload(module) is module
    assert keras.layers.__name__ == keras.layers.__spec__.name == "keras_fn.layers"
    assert "def version" in inspect.getsource(keras) and keras.__name__ == "keras"
    assert "layers" in [module.name for module in pkgutil.iter_modules(keras.__path__)]
    assert pickle.loads(pickle.dumps(keras.version)) is keras.version
    try:
        import keras.nothing
    except ModuleNotFoundError as error:
        assert error.name == "keras.nothing"
    try:
        keras.nothing
    except AttributeError as error:
        assert "module 'keras' has no attribute 'nothing'" in str(error)

    for method in ("spawn", "fork"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(work, [0]) == [(True, "3.15.1")]
    code = "import keras, sys; print(keras.__version__, sys.path[1:2])"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.startswith("3.15.1") and "startup" not in child.stdout

    try:
        import keras._tf_keras.keras
    except ImportError as error:
        assert "--also tensorflow.keras" in str(error)
    print(sys.argv, __file__, __spec__, flush=True)
    sys.exit(7)
"""


def python(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONWARNINGS": "ignore"} | environment
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_program_sees_keras(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = python("-X", "dev", *RUN, "program.py", "--also", "-x", folder=tmp_path)
    assert (done.returncode, done.stderr) == (7, ""), done.stderr
    assert done.stdout == "['program.py', '--also', '-x'] program.py None\n".replace(
        "] program.py", f"] {tmp_path / 'program.py'}"
    )


def test_install_in_the_program_and_after_keras(tmp_path):
    (tmp_path / "keras.py").write_text("__version__ = '3.0'")
    code = "import keras_fn; keras_fn.install(); import keras; print(keras.version())"
    assert python("-c", code, folder=tmp_path).stdout == "3.15.1\n"
    done = python("-c", f"import keras; {code}", folder=tmp_path)
    error = done.stderr.split("AliasError: ")[-1]
    assert error.startswith("keras_fn.install('keras')\n  expected: a process in which no module")
    assert "received: keras 3.0, from " in error and "python -m keras_fn run program.py" in error


def test_keras_fn_in_the_working_directory_alone_is_found_from_elsewhere(monkeypatch):
    parent = str(Path(installation.__file__).parents[2])
    environment = {}
    monkeypatch.setattr(sys, "path", ["", parent])
    installation.set_environment(environment, ["keras"])
    assert environment["PYTHONPATH"] == installation.STARTUP
    monkeypatch.setattr(sys, "path", [parent])
    for _ in range(2):
        installation.set_environment(environment, ["keras"])
        assert environment["PYTHONPATH"] == os.pathsep.join([installation.STARTUP, parent])


def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch):
    (tmp_path / "needing").mkdir()
    (tmp_path / "needing" / "__init__.py").write_text("import no_such_package")
    monkeypatch.setattr(keras_fn, "__path__", [*keras_fn.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        finder._alias_spec("keras.needing.inner", "needing.inner")
    assert finder._alias_spec("keras.nothing.inner", "nothing.inner") is None
    assert finder._alias_spec("keras.version.inner", "version.inner") is None


def test_modules_code_and_tracebacks_are_those_of_python(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import keras, sys; 1 / len(sys.argv[1:])")
    (tmp_path / "sitecustomize.py").write_text("print('the own sitecustomize')")
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = python(*RUN, "-m", "package", "x", folder=tmp_path, **paths)
    # Of the command, and of the program.
    assert (done.returncode, done.stdout) == (0, "the own sitecustomize\n" * 2)
    done = python(*RUN, "-m", "package", folder=tmp_path, **paths)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert "keras_fn" not in done.stderr
    done = python(*RUN, "-m", "keras", folder=tmp_path)
    assert done.returncode == 2 and done.stdout.startswith("usage: keras-fn COMMAND")


TENSORFLOW = """
import keras
import tensorflow
import tensorflow.keras.layers
from tensorflow.keras.utils import to_categorical
assert tensorflow.keras is keras and tensorflow.keras.layers is keras.layers
from keras._tf_keras import keras as again
assert again is keras
"""


def test_tensorflow_keras_on_request(tmp_path):
    (tmp_path / "tensorflow.py").write_text("__path__ = []")
    done = python(*RUN, "--also", "tensorflow.keras", "-c", TENSORFLOW, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = python(*RUN, "-c", TENSORFLOW, folder=tmp_path)
    assert "import tensorflow.keras\n  expected: tensorflow.keras to be installed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["runn"], "did you mean run?"),
        (["run", "--also", "tf_keras", "x.py"], "--also: 'keras' or 'tensorflow.keras'"),
        (["run", "-W", "error", "-Es", "x.py"], "Python options without -I, -E and -S"),
    ],
)
def test_errors_of_the_command(arguments, expected, capsys):
    assert main(arguments) == 2
    assert expected in capsys.readouterr().err


def test_usage(capsys):
    assert main(["run", "--help"]) == 0 and main(["run"]) == 2
    assert capsys.readouterr().out == USAGE * 2
