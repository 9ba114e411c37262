"""What a model file must not be able to do, and the errors that it causes."""

import ast
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hdf5_files import hdf5_bytes

import keras_fn as keras
from keras_fn.saving.archive import CONFIG, WEIGHTS, write_archive
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.keras_format import archive_members
from keras_fn.saving.limits import limits
from keras_fn.saving.weights import collect
from tests.saving import oracle_check

ROOT = Path(__file__).parents[2]
REFUSED = (ModelFileError, ModelFileTypeError)


def model():
    x = keras.Input((3,), name="x")
    h = keras.layers.Dense(4, activation="relu", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(2, name="last")(h + 1), name="victim")


def archive(change=None, datasets=None, made=None):
    """A well-formed file of a model whose config or datasets were changed by an attacker."""
    made = made or model()
    content = dict(archive_members(made))
    config = json.loads(content[CONFIG])
    if change is not None:
        config = change(config) or config
    content[CONFIG] = json.dumps(config).encode()
    if datasets is not None:
        arrays, attributes = collect(made)
        datasets(arrays, attributes)
        content[WEIGHTS] = hdf5_bytes(arrays, attributes)
    file = io.BytesIO()
    file.name = "attack.keras"  # type: ignore[attr-defined]
    write_archive(file, content)
    return file


def refused(file, said, **options):
    """Asserts that loading gives one of our errors, in the promised form."""
    with pytest.raises(REFUSED, match=said) as error:
        keras.saving.load_model(file, **options)
    message = str(error.value)
    assert len(message) < 2000 and "attack.keras" in message
    return message


def entry(config, name):
    return next(e for e in config["config"]["layers"] if e["name"] == name)


# ---------------------------------------------------------------- nothing executes

LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAAAA", "defaults": None}}
FORMS = ["__lambda__", "__typespec__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"]


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_is_refused_and_the_layer_named(safe_mode):
    def change(config):
        entry(config, "hidden")["config"]["activation"] = LAMBDA

    message = refused(archive(change), "layer 'hidden'", safe_mode=safe_mode)
    assert "custom_objects={" in message and "holds code" in message


@pytest.mark.parametrize("class_name", FORMS)
def test_forms_that_hold_code_are_refused(class_name):
    def change(config):
        entry(config, "hidden").update(class_name=class_name)

    refused(archive(change), "holds code", safe_mode=False)


LAMBDA = {"class_name": "__lambda__", "config": {"value": ["4wAAY29kZQ==", None, None]}}
TYPESPEC = {"class_name": "__typespec__", "config": [], "spec_name": "x", "module": "tensorflow"}
OBJECTS = {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}
GIANT = {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "<U1000000000"}}


@pytest.mark.parametrize("value", [LAMBDA, TYPESPEC, OBJECTS, GIANT, [LAMBDA]], ids=str)
@pytest.mark.parametrize("key", ["training", "mask", "unknown"])
def test_arguments_of_calls_hold_no_code_used_or_not(key, value):
    config = json.loads(model().to_json())
    config["config"]["layers"][-1]["inbound_nodes"][0]["kwargs"] = {key: value}
    with pytest.raises((ModelFileError, ModelFileTypeError)):
        keras.models.model_from_json(json.dumps(config))


@pytest.mark.parametrize("value", [LAMBDA, TYPESPEC, {"deep": [{"er": LAMBDA}]}], ids=str)
def test_metadata_hold_no_code_either(value):
    content = archive_members(model())
    write_archive(file := io.BytesIO(), content, {"own": value})
    with pytest.raises(ModelFileError, match=r"metadata\.json.*holds code"):
        keras.models.load_model(file)


@pytest.mark.parametrize(
    "module, name",
    [
        ("os", "system"), ("builtins", "eval"), ("subprocess", "Popen"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"), ("antigravity", "anything"),
        ("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
        ("keras_fn.core.registry", "register"), ("numpy", "load"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("slot", ["layer", "activation", "function", "initializer"])
def test_names_outside_the_tables_are_not_looked_up(module, name, slot):
    def change(config):
        target = entry(config, "hidden")
        written = {"module": module, "class_name": name, "config": {}, "registered_name": name}
        if slot == "layer":
            target.update(written)
        elif slot == "function":
            written |= {"class_name": "function", "config": name}
            target["config"]["activation"] = written
        else:
            key = "activation" if slot == "activation" else "kernel_initializer"
            target["config"][key] = written

    before = set(sys.modules)
    refused(archive(change), "known|named|expected")
    assert not {m for m in set(sys.modules) - before if m.split(".")[0] == module.split(".")[0]}


@pytest.mark.parametrize(
    "slot, written",
    [
        ("layer", {"module": "keras.optimizers", "class_name": "SGD",
                   "config": {"learning_rate": 0.1}, "registered_name": None}),
        ("kernel_initializer", {"module": "keras.layers", "class_name": "Dense",
                                "config": {"units": 3}, "registered_name": None}),
        ("kernel_regularizer", {"module": "keras.losses", "class_name": "MeanSquaredError",
                                "config": {}, "registered_name": None}),
        ("activation", {"module": "keras.optimizers", "class_name": "SGD",
                        "config": {"learning_rate": 0.1}, "registered_name": None}),
    ],
)  # fmt: skip
def test_a_slot_takes_objects_of_its_own_role_only(slot, written):
    def change(config):
        target = entry(config, "hidden")
        if slot == "layer":
            target.update(written)
        else:
            target["config"][slot] = written

    refused(archive(change), "expected")


FORBIDDEN_MODULES = {
    "importlib", "pickle", "marshal", "yaml", "shelve", "dill", "cloudpickle", "joblib", "ctypes",
    "runpy", "code", "codeop", "subprocess", "socket", "urllib", "requests", "http", "tempfile",
    "shutil",
}  # fmt: skip
FORBIDDEN_NAMES = {"eval", "exec", "__import__", "compile", "globals"}
# The last one downloads what the caller names, before it is read; a file cannot name it.
NOT_FOR_LOADING = {"__init__.py", "folder_writer.py", "unfinished.py", "hugging_face.py"}
LOAD_PATH = [
    *(p for p in (ROOT / "keras_fn/saving").rglob("*.py") if p.name not in NOT_FOR_LOADING),
    *(ROOT / "keras_fn/models").glob("*.py"),
    *(ROOT / "keras_fn/core" / f"{name}.py" for name in ("serialization", "registry", "operation")),
]


@pytest.mark.parametrize("path", LOAD_PATH, ids=lambda p: p.name)
def test_nothing_on_the_load_path_can_run_code_or_reach_out(path):
    parameters = {"compile"}  # an argument of load_model
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = {(node.module or "").split(".")[0]} & FORBIDDEN_MODULES
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found = {node.func.id} & (FORBIDDEN_NAMES - parameters)
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            found = {f"{owner}.{node.attr}"} & {"np.load", "numpy.load", "torch.load", "os.system"}
        else:
            found = set()
        assert not found, f"{path}:{node.lineno}: {found}"


WATCHED = """
import sys
from pathlib import Path
import numpy as np
from keras_fn import saving
from keras_fn.layers import Layer

files = [p for p in Path(sys.argv[1]).iterdir() if p.suffix in (".keras", ".h5")]
seen = []

def watch(event, arguments):
    if active and event in {
        "import", "exec", "compile", "pickle.find_class", "marshal.loads", "code.__new__",
        "os.system", "subprocess.Popen", "socket.connect", "urllib.Request", "ctypes.dlopen",
        "os.rename", "os.remove", "os.mkdir", "shutil.rmtree", "tempfile.mkstemp",
    } or active and event == "open" and str(arguments[0]) != str(path):
        seen.append((event, *map(repr, arguments)))

active = False
sys.addaudithook(watch)
for active in (False, True):  # what happens only once, happens before
    for path in files:
        if not path.name.endswith(".weights.h5"):
            model = saving.load_model(path)
            path = path.with_name(path.name.split(".")[0] + ".weights.h5")
            model.load_weights(path)
active = False
print("SEEN", seen)
"""


def test_loading_the_fixtures_runs_imports_and_opens_nothing(tmp_path):
    script = tmp_path / "watched.py"
    script.write_text(WATCHED)
    paths = [str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")]
    result = subprocess.run(
        [sys.executable, str(script), str(oracle_check.FIXTURES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.stdout.splitlines()[-1:] == ["SEEN []"], result.stdout + result.stderr[-2000:]


# ---------------------------------------------------------------- nothing outside is touched


@pytest.mark.parametrize(
    "address",
    [
        "http://x.example/m.keras",
        "https://x.example/m.h5",
        "gs://b/m.keras",
        "ftp://a/b",
        "s3://a/b",
    ],
)
def test_addresses_are_refused_without_looking_them_up(address):
    for function in (
        keras.saving.load_model, model().load_weights, model().save,
    ):  # fmt: skip
        with pytest.raises(ModelFileError, match="only local files"):
            function(address)


@pytest.mark.parametrize("key", ["vocabulary", "filepath", "weights"])
@pytest.mark.parametrize("value", ["/etc/passwd", "http://x.example/words.txt", "hf://a/b"])
def test_arguments_that_lead_out_of_the_file_are_refused(key, value):
    def change(config):
        entry(config, "hidden")["config"][key] = value

    assert "layer 'hidden'" in refused(archive(change), "opens no other file")


# ---------------------------------------------------------------- bounded


@pytest.mark.parametrize("units", [2**40, 2**62, 10**25])
def test_sizes_are_checked_before_memory_is_taken(units):
    def change(config):
        entry(config, "hidden")["config"]["units"] = units
        config["config"]["layers"] = config["config"]["layers"][:2]
        config["config"]["output_layers"] = ["hidden", 0, 0]

    refused(archive(change), "too many parameters|malformed|digits")


def test_json_alone_is_bounded_too():
    config = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).to_json()
    text = config.replace('"units": 2', f'"units": {2**45}')
    with pytest.raises(ModelFileError, match="too many parameters"):
        keras.models.model_from_json(text)


def test_too_many_layers_are_refused():
    file = archive()
    with limits(layers=2):
        refused(file, "too many layers")


@pytest.mark.parametrize("depth", [600, 100_000])
def test_deep_nesting_is_a_clear_error(depth):
    text = '{"class_name": "Sequential", "config": {"layers": [' * depth + "]}}" * depth
    with pytest.raises(ModelFileError, match="nesting"):
        keras.models.model_from_json(text)


def test_models_nested_as_deep_as_the_limit_are_read_or_refused():
    text = '{"class_name": "Sequential", "config": {"layers": [' * 170 + "]}}" * 170
    try:
        keras.models.model_from_json(text)
    except REFUSED as error:
        assert len(str(error)) < 2000


def test_a_long_graph_in_the_worst_order_takes_time_in_proportion():
    x = tensor = keras.Input((1,), name="x")
    for _ in range(400):
        tensor = tensor + 1
    made = keras.Model(x, tensor)

    def change(config):
        config["config"]["layers"].reverse()

    file = archive(change, made=made)
    start = time.perf_counter()
    keras.saving.load_model(file)
    assert time.perf_counter() - start < 10


# ---------------------------------------------------------------- malformed is a clear error


def set_shape(config):
    entry(config, "last")["inbound_nodes"][0]["args"][0]["config"]["shape"] = [None, 7]


def set_cycle(config):
    history = entry(config, "hidden")["inbound_nodes"][0]["args"][0]["config"]["keras_history"]
    history[:] = ["last", 0, 0]


def set_reference(*reference):
    def change(config):
        config["config"]["output_layers"] = list(reference)

    return change


@pytest.mark.parametrize(
    "change, said",
    [
        (set_shape, r"shape \(None, 7\) from .*, as recorded"),
        (set_cycle, "cycle"),
        (set_reference("last", 1, 0), "references"),
        (set_reference("last", -1, 0), "references"),
        (set_reference("last", 0, 5), "references"),
        (set_reference("missing", 0, 0), "references"),
        (set_reference("last", 0, "0"), "references"),
        (lambda c: c["config"]["layers"].append(c["config"]["layers"][1]), "two layers named"),
        (lambda c: entry(c, "hidden").update(extra=1), "unknown keys"),
        (lambda c: c["config"].update(extra=1), "keys"),
        (lambda c: entry(c, "hidden")["config"].update(unknown_argument=1), "unknown_argument"),
        (lambda c: entry(c, "hidden")["config"].update(units="4"), "units"),
        (lambda c: entry(c, "hidden")["config"].update(units=-4), "units"),
        (lambda c: entry(c, "hidden")["config"].update(name="a/b"), "attack"),
        (lambda c: entry(c, "hidden").update(config=[1, 2]), "attack"),
        (lambda c: c.update(config=None), "attack"),
        (lambda c: c["config"].update(layers=None), "layers"),
        (lambda c: c["config"].pop("input_layers") and None, "attack"),
        (lambda c: entry(c, "hidden").update(inbound_nodes=[[]]), "attack"),
        (lambda c: [1], "not the config of a model"),
        (lambda c: {"class_name": 3, "config": {}}, "not the config of a model"),
    ],
)
def test_a_malformed_config_is_a_clear_error(change, said):
    def changed(config):
        result = change(config)
        return result if isinstance(result, (list, dict)) and result is not config else None

    refused(archive(changed), said)


def drop(arrays, attributes):
    del arrays["layers/dense/vars/1"]


def add(arrays, attributes):
    arrays["layers/dense/vars/2"] = np.zeros(3, "float32")


def add_elsewhere(arrays, attributes):
    arrays["layers/dense_9/vars/0"] = np.zeros(3, "float32")


def reshape(arrays, attributes):
    arrays["layers/dense/vars/0"] = np.zeros((4, 3), "float32")


def retype(arrays, attributes):
    arrays["layers/dense/vars/0"] = np.zeros((3, 4), "int64")


def rename(arrays, attributes):
    attributes["layers/dense/vars"]["name"] = "last"


@pytest.mark.parametrize(
    "change, said",
    [
        (drop, "no weight 'bias'"),
        (add, "the model does not have"),
        (add_elsewhere, "the model does not have"),
        (reshape, "another shape"),
        (retype, "another kind of dtype"),
        (rename, "weights of another layer"),
    ],
)
def test_datasets_that_are_not_the_variables_are_an_error(change, said):
    message = refused(archive(datasets=change), said)
    assert "model.weights.h5" in message


def trained():
    return oracle_check.trained_model(keras)[0]


def test_an_optimizer_that_cannot_be_restored_is_an_error_that_says_how_to_go_on():
    def change(arrays, attributes):
        del arrays["optimizer/vars/9"]

    file = archive(datasets=change, made=trained())
    refused(file, "compile=False")
    assert not keras.saving.load_model(file, compile=False).compiled


@pytest.mark.parametrize("key", ["loss", "optimizer"])
def test_an_unknown_loss_or_optimizer_is_an_error_that_says_how_to_go_on(key):
    def change(config):
        config["compile_config"][key] = {
            "module": "mine", "class_name": "Mine", "config": {}, "registered_name": "mine>Mine",
        }  # fmt: skip

    file = archive(change, made=trained())
    refused(file, "compile=False")
    keras.saving.load_model(file, compile=False)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF\r\n\x1a\n", b"GIF89a", b"\0" * 1000])
def test_other_files_are_a_clear_error(content, tmp_path):
    path = tmp_path / "attack.keras"
    path.write_bytes(content)
    refused(path, "attack")
    with pytest.raises(REFUSED, match="attack"):
        model().load_weights(path)


def test_a_directory_is_a_clear_error(tmp_path):
    (tmp_path / "attack.keras").mkdir()
    refused(tmp_path / "attack.keras", "directory")


def test_a_truncated_fixture_is_a_clear_error_wherever_it_is_cut(tmp_path):
    data = (oracle_check.FIXTURES / "mlp.keras").read_bytes()
    path = tmp_path / "attack.keras"
    for size in range(0, len(data), len(data) // 12):
        path.write_bytes(data[:size])
        refused(path, "attack")


def test_a_program_may_pass_its_own_classes_and_functions():
    class Mine(keras.layers.Layer):
        def call(self, x):
            return x * 2

    x = keras.Input((3,))
    made = keras.Model(x, Mine(name="mine")(x))
    file = archive(made=made)
    refused(file, "custom_objects")
    assert type(keras.saving.load_model(file, {"Mine": Mine}).layers[-1]) is Mine


def test_a_layer_that_is_no_object_is_refused():
    def change(config):
        config["config"]["layers"][1] = 3

    assert "layers as objects with a name" in refused(archive(change), "victim")


def test_the_shape_of_what_is_not_built_is_refused():
    def change(config):
        initializer = entry(config, "hidden")["config"]["kernel_initializer"]
        initializer["build_config"] = {"input_shape": [3]}

    refused(archive(change), "build_from_config")


@pytest.mark.parametrize(
    "call", [3, "x", {"args": []}, {"args": {}, "kwargs": {}}, [["x", 0]], [["x", 0, 0, 1]], None]
)
def test_a_call_that_is_malformed_is_refused(call):
    def change(config):
        entry(config, "hidden")["inbound_nodes"] = [call]

    assert "calls of 'hidden'" in refused(archive(change), "victim")
