"""What is imported when, and how the backend is chosen: each case in a process of its own."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from keras_fn import config

ROOT = Path(config.__file__).resolve().parent.parent
BACKEND = config.backend()
FRAMEWORKS = ("jax", "torch", "tensorflow")

# Put before a program: makes these libraries look as if they were not installed.
_BLOCKER = """
import importlib.util, sys
blocked = {blocked!r}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
plain = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in blocked else plain(name, *a)
"""
# ... and makes them look installed, for programs that only choose and load nothing.
_PRETENDER = """
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: real("json") if name in {names!r} else real(name, *a)
"""


def run(
    program: str,
    *,
    home: Path,
    blocked: tuple[str, ...] = (),
    pretended: tuple[str, ...] = (),
    paths: tuple[Path, ...] = (),
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Runs a program in a new process; `KERAS_BACKEND` is unset unless it is given."""
    code = _BLOCKER.format(blocked=blocked) if blocked else ""
    code += _PRETENDER.format(names=pretended) if pretended else ""
    env = {k: v for k, v in os.environ.items() if not k.startswith("KERAS_")}
    env["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, ROOT, ROOT / "backends")))
    env |= {"KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.run(
        [sys.executable, "-c", code + textwrap.dedent(program)],
        env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def output_of(program: str, **options) -> str:
    """Returns what a program prints; it must succeed."""
    done = run(program, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def error_of(program: str, **options) -> str:
    """Returns the message of the error with which a program ends, all its lines."""
    done = run(program, **options)
    assert done.returncode != 0, done.stdout
    return done.stderr[done.stderr.rindex("Error: ") + len("Error: ") :].rstrip("\n")


# ---------------------------------------------------------------- what is imported


def test_importing_the_package_and_its_config_loads_no_framework(tmp_path):
    printed = output_of(
        """
        import sys
        import keras_fn as keras
        keras.config.set_floatx("float64")
        keras.config.set_epsilon(1e-5)
        keras.config.set_image_data_format("channels_first")
        keras.config.set_dtype_policy("mixed_bfloat16")
        keras.config.backend(), keras.config.dtype_policy(), keras.__version__
        keras.backend.floatx(), keras.tree.flatten([1])
        print([m for m in ("jax", "torch", "tensorflow", "keras") if m in sys.modules])
        """,
        home=tmp_path,
    )
    assert printed == "[]"


_WORK = """
    import sys
    import numpy as np
    import keras_fn as keras
    from keras_fn import layers

    inputs = keras.Input((4,), name="features")
    with keras.RematScope():
        x = layers.Dropout(0.1)(layers.Dense(8, activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    model.fit(x, y, epochs=1, verbose=0, validation_split=0.25)
    model.predict(x, verbose=0)
    model.save("model.keras")
    keras.models.load_model("model.keras").evaluate(x, y, verbose=0)
    names = ("jax", "torch", "tensorflow", "keras", "torch._dynamo")
    print([name for name in names if name in sys.modules])
"""


def test_a_whole_program_loads_its_own_framework_alone(tmp_path):
    program = f"    import os; os.chdir({str(tmp_path)!r})\n" + _WORK
    assert output_of(program, home=tmp_path, KERAS_BACKEND=BACKEND) == str([BACKEND])


# ---------------------------------------------------------------- how the backend is chosen


def test_set_backend_works_until_a_backend_is_loaded(tmp_path):
    others = [name for name in FRAMEWORKS if name != BACKEND]
    program = f"""
        import keras_fn as keras
        keras.config.set_backend({others[0]!r})
        assert keras.config.backend() == {others[0]!r}
        keras.config.set_backend({BACKEND!r})
        keras.ops.relu([1.0])
        keras.config.set_backend({BACKEND!r})
        keras.config.set_backend({others[1]!r})
    """
    assert error_of(program, home=tmp_path) == (
        f"The backend {BACKEND!r} is already loaded, so {others[1]!r} cannot be chosen.\n"
        "  fix: call set_backend before layers, ops or models are used, or start a new process "
        f"with KERAS_BACKEND={others[1]}"
    )


_LOAD = "import keras_fn; keras_fn.ops.relu([1.0])"


def test_an_unknown_backend_is_refused_with_what_is_installed(tmp_path):
    message = (
        "Unknown backend 'abacus'.\n"
        f"  installed: {BACKEND}\n"
        "  fix: set KERAS_BACKEND to one of these, or pip install jax (or torch, tensorflow), or a "
        "package that registers 'abacus' in the entry-point group 'keras_fn.backends'"
    )
    others = tuple(name for name in FRAMEWORKS if name != BACKEND)
    options = {"home": tmp_path, "blocked": others}
    assert error_of(_LOAD, KERAS_BACKEND="abacus", **options) == message
    chosen = "import keras_fn; keras_fn.config.set_backend('abacus')"
    assert error_of(chosen, **options) == message


def test_a_missing_library_is_refused_with_what_to_install(tmp_path):
    missing, *more = [name for name in FRAMEWORKS if name != BACKEND]
    message = error_of(_LOAD, home=tmp_path, blocked=(missing, *more), KERAS_BACKEND=missing)
    assert message == (
        f"The backend {missing!r} is chosen, but {missing} is not installed.\n"
        f"  installed: {BACKEND}\n"
        f"  fix: pip install {missing}, or set KERAS_BACKEND to one that is installed"
    )


def test_without_any_framework_the_error_says_what_to_install(tmp_path):
    assert error_of(_LOAD, home=tmp_path, blocked=FRAMEWORKS) == (
        "keras_fn needs one of JAX, PyTorch and TensorFlow, and none is installed.\n"
        "  fix: pip install jax   (or: torch, tensorflow)"
    )


_CHOSEN = "import keras_fn; print(keras_fn.config.backend())"


def test_the_first_installed_backend_is_taken_in_a_fixed_order(tmp_path):
    assert output_of(_CHOSEN, home=tmp_path, pretended=FRAMEWORKS) == "jax"
    no_jax = {"blocked": ("jax",), "pretended": FRAMEWORKS[1:]}
    assert output_of(_CHOSEN, home=tmp_path, **no_jax) == "torch"


def write_config(home: Path, **values) -> str:
    text = json.dumps(values)
    (home / "keras.json").write_text(text, encoding="utf-8")
    return text


def test_the_config_file_is_read_where_keras_home_says_and_never_written(tmp_path):
    text = write_config(
        tmp_path, backend="torch", floatx="float64", epsilon=1e-4,
        image_data_format="channels_first",
    )  # fmt: skip
    program = """
        import keras_fn.config as c
        print(c.backend(), c.floatx(), c.epsilon(), c.image_data_format())
        c.set_floatx("float16"); c.set_epsilon(1.0); c.set_backend("jax")
    """
    printed = output_of(program, home=tmp_path, pretended=FRAMEWORKS)
    assert printed == "torch float64 0.0001 channels_first"
    assert (tmp_path / "keras.json").read_text(encoding="utf-8") == text


def test_no_config_file_is_made(tmp_path):
    home = tmp_path / "none"
    output_of(_LOAD, home=home, KERAS_BACKEND=BACKEND)
    assert not home.exists()


def test_the_framework_does_not_stumble_over_a_config_file_of_ours(tmp_path):
    text = write_config(tmp_path, floatx="bfloat16", epsilon=1e-3)
    program = "import os, keras_fn as k; print(k.ops.ones(1).dtype, os.environ['KERAS_HOME'])"
    printed = output_of(program, home=tmp_path, KERAS_BACKEND=BACKEND)
    assert "bfloat16" in printed and printed.endswith(str(tmp_path))
    assert (tmp_path / "keras.json").read_text(encoding="utf-8") == text


def test_the_environment_comes_before_the_config_file(tmp_path):
    write_config(tmp_path, backend="torch")
    options = {"home": tmp_path, "pretended": FRAMEWORKS}
    assert output_of(_CHOSEN, KERAS_BACKEND="tensorflow", **options) == "tensorflow"


def test_a_missing_backend_of_the_config_file_is_passed_over_with_one_warning(tmp_path):
    write_config(tmp_path, backend="tensorflow")
    options = {"home": tmp_path, "blocked": ("tensorflow",), "pretended": ("jax", "torch")}
    done = run("import keras_fn.config as c; print(c.backend(), c.backend())", **options)
    assert done.stdout.strip() == "jax jax"
    assert done.stderr.count("UserWarning") == 1
    assert (
        f"UserWarning: {tmp_path / 'keras.json'} names the backend 'tensorflow', which is not "
        "installed: ignored. Set KERAS_BACKEND, or run: pip install tensorflow\n"
    ) in done.stderr


def test_the_warning_stays_away_where_the_environment_names_a_backend(tmp_path):
    write_config(tmp_path, backend="tensorflow")
    done = run(_CHOSEN, home=tmp_path, blocked=("tensorflow",), KERAS_BACKEND="jax")
    assert (done.stdout.strip(), done.stderr) == ("jax", "")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"floatx": 3, "epsilon": "x", "backend": 7}'])
def test_a_broken_config_file_changes_nothing(tmp_path, text):
    (tmp_path / "keras.json").write_text(text, encoding="utf-8")
    program = "import keras_fn.config as c; print(c.backend(), c.floatx(), c.epsilon())"
    assert output_of(program, home=tmp_path, pretended=FRAMEWORKS) == "jax float32 1e-07"


# ---------------------------------------------------------------- a backend of someone else


def register_plugin(folder: Path) -> None:
    """Lays out an installed distribution whose backend is ours under another name."""
    info = folder / "keras_fn_other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keras-fn-other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[keras_fn.backends]\nother = keras_fn_other\n")
    module = (
        f'from keras_fn_{BACKEND} import *\nimport keras_fn_{BACKEND} as _base\nname = "other"\n'
    )
    module += "def __getattr__(key): return getattr(_base, key)\n"
    (folder / "keras_fn_other.py").write_text(module)


_ADD = """
    import keras_fn as keras
    {choose}
    print(keras.ops.convert_to_numpy(keras.ops.add([1.0], 2.0)), keras.config.backend())
"""


@pytest.mark.parametrize("by", ["environment", "set_backend", "file"])
def test_a_backend_of_another_package_is_found_by_its_entry_point(tmp_path, by):
    register_plugin(tmp_path)
    environment = {"KERAS_BACKEND": "other"} if by == "environment" else {}
    if by == "file":
        write_config(tmp_path, backend="other")
    choose = "keras.config.set_backend('other')" if by == "set_backend" else ""
    program = _ADD.format(choose=choose)
    printed = output_of(program, home=tmp_path, paths=(tmp_path,), **environment)
    assert printed == "[3.] other"


def test_a_first_use_leaves_the_garbage_collector_as_it_was(tmp_path):
    program = """
        import gc
        import keras_fn

        keras_fn.Model
        assert gc.isenabled()
        gc.disable()
        keras_fn.applications
        assert not gc.isenabled()
    """
    done = run(textwrap.dedent(program), home=tmp_path, KERAS_BACKEND=BACKEND)
    assert done.returncode == 0, done.stderr
    program = """
        import gc
        import keras_fn

        try:
            keras_fn.Model
        except ImportError:
            assert gc.isenabled()
        else:
            raise AssertionError("its framework was imported")
    """
    done = run(textwrap.dedent(program), home=tmp_path, blocked=(BACKEND,), KERAS_BACKEND=BACKEND)
    assert done.returncode == 0, done.stderr


def test_a_layer_is_imported_when_it_is_used_or_named_by_a_config(tmp_path):
    program = """
    import sys
    import keras_fn as keras
    modules = lambda name: [m for m in sys.modules if m.endswith("." + name)]
    keras.layers.Dense(2), keras.Input((2,))
    assert not modules("lstm") and not modules("random_flip")
    config = {"module": "keras.layers", "class_name": "LSTM", "config": {"units": 3}}
    layer = keras.layers.deserialize(config)
    assert type(layer) is keras.layers.LSTM and layer.units == 3
    assert keras.layers.serialize(layer)["module"] == "keras.layers"
    assert keras.layers.Convolution1D is keras.layers.Conv1D
    print(len(modules("lstm")), len(modules("random_flip")))
    """
    assert output_of(program, home=tmp_path, KERAS_BACKEND=BACKEND).split() == ["1", "0"]
