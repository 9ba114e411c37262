"""The helpers of `keras.src`."""

import copy
import sys
import types

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.alias import helpers
from keras_fn.alias.test_utils import get_test_data, named_product
from keras_fn.errors import SpecError


def test_symbolic_tensors_and_specs():
    x = keras.Input((3,))
    assert helpers.any_symbolic_tensors(([1, {"a": x}],))
    assert helpers.any_symbolic_tensors(kwargs={"a": [x]})
    assert not helpers.any_symbolic_tensors((1, [2]), {"a": np.ones(2)})
    spec = helpers.compute_output_spec(lambda a: a + 1.0, keras.KerasTensor((2, 3)))
    assert spec.shape == (2, 3)


@pytest.mark.parametrize(("value", "wanted"), [(2, (2, 2)), ([1, 2], (1, 2)), ((3, 4), (3, 4))])
def test_standardize_tuple(value, wanted):
    assert helpers.standardize_tuple(value, 2, "strides") == wanted


@pytest.mark.parametrize("value", [0, (1, 0), (1, 2, 3), "ab", None, 1.5, (1, "a")])
def test_standardize_tuple_refuses(value):
    with pytest.raises(SpecError, match="The argument strides"):
        helpers.standardize_tuple(value, 2, "strides")
    assert helpers.standardize_tuple(0, 2, "strides", allow_zero=True) == (0, 0)


def test_padding_and_axes():
    assert helpers.standardize_padding("SAME") == "same"
    assert helpers.standardize_padding([(0, 1)]) == [(0, 1)]
    assert helpers.standardize_padding("causal", allow_causal=True) == "causal"
    with pytest.raises(SpecError):
        helpers.standardize_padding("causal")
    assert [helpers.canonicalize_axis(axis, 3) for axis in (-3, -1, 0, 2)] == [0, 2, 0, 2]
    with pytest.raises(SpecError, match="rank 3"):
        helpers.canonicalize_axis(3, 3)


def test_class_weight_to_sample_weights():
    weights = {0: 2.0, 2: 0.5}
    for y in ([0, 1, 2], [[0], [1], [2]], np.eye(3)):
        found = helpers.class_weight_to_sample_weights(np.array(y), weights)
        assert found.tolist() == [2.0, 1.0, 0.5] and found.dtype == "float32"


def test_scopes():
    assert helpers.get_stateless_scope() is None and not helpers.in_symbolic_scope()
    with keras.StatelessScope() as scope:
        assert helpers.get_stateless_scope() is scope
    with keras.SymbolicScope():
        assert helpers.in_symbolic_scope()


def test_lazy_modules():
    lazy = helpers.LazyModule("json")
    assert lazy.available and lazy.loads("[1]") == [1]
    missing = helpers.LazyModule("no_such_module", pip_name="no-such-module")
    assert not missing.available
    with pytest.raises(ImportError, match="pip install 'no-such-module'"):
        _ = missing.anything
    with pytest.raises(ImportError, match=r"^mine$"):
        _ = helpers.LazyModule("no_such_module", import_error_msg="mine").anything


def test_attributes_that_are_not_tracked(tmp_path):
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.kept = keras.layers.Dense(1)
            self._set()

        @helpers.no_automatic_dependency_tracking
        def _set(self):
            self.left_out = keras.layers.Dense(2)

        def call(self, inputs):
            return self.kept(inputs)

    layer = Own()
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.left_out.build((None, 3))
    assert len(layer.weights) == 2 and layer.left_out.units == 2
    model.save_weights(tmp_path / "own.weights.h5")
    kernel = layer.left_out.kernel.numpy()
    layer.left_out.kernel.assign(np.zeros((3, 2)))
    model.load_weights(tmp_path / "own.weights.h5")
    np.testing.assert_array_equal(layer.left_out.kernel, kernel)


def test_an_attribute_that_is_set_again_is_tracked():
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self._set()
            self.inner = keras.layers.Dense(1)

        @helpers.no_automatic_dependency_tracking
        def _set(self):
            self.inner = None
            self.left_out = keras.layers.Dense(2)

    layer = copy.deepcopy(Own())
    layer.inner.build((None, 3))
    layer.left_out.build((None, 3))
    assert [id(w) for w in layer.weights] == [id(w) for w in layer.inner.weights]
    assert helpers.no_automatic_dependency_tracking(lambda: 1)() == 1


def test_logs_lists_and_defaults(capsys):
    logs = {"b": np.float32(1), "a": {"c": "text"}}
    assert helpers.pythonify_logs(logs) == {"c": "text", "b": 1.0}
    assert helpers.to_list(1) == [1] and helpers.to_list([1]) == [1]
    assert helpers.list_to_tuple([1, [2]]) == (1, [2]) and helpers.list_to_tuple(1) == 1
    helpers.print_msg("hello", line_break=False)
    assert capsys.readouterr().out == "hello"

    class Base:
        @helpers.default
        def a(self): ...

    class Own(Base):
        def a(self): ...

    assert helpers.is_default(Base().a) and not helpers.is_default(Own().a)
    assert helpers.keras_export("keras.Base")(Base) is Base


def test_pipelines(monkeypatch):
    assert not helpers.in_grain_data_pipeline()
    monkeypatch.setitem(sys.modules, "grain", types.ModuleType("grain"))
    names: dict = {"helpers": helpers}
    code = "found = helpers.in_grain_data_pipeline()"
    exec(compile(code, "/site-packages/grain/_src/python/dataset/dataset.py", "exec"), names)
    assert names["found"] and not helpers.in_grain_data_pipeline()
    graph = types.SimpleNamespace(executing_eagerly=lambda: False)
    monkeypatch.setitem(sys.modules, "tensorflow", graph)
    assert helpers.in_tf_graph()


def test_shapes_of_transposed_convolutions():
    shape = helpers.compute_conv_transpose_output_shape
    assert shape((2, 5, 3), (3,), 4, 2, "valid") == [2, 11, 4]
    assert shape((2, 5, 3), (3, 4, 3), 4, 2, "valid") == [2, 11, 4]  # of a whole kernel
    assert shape((None, 5, None, 3), (3, 2), 4, (2, 1), "same") == [None, 10, None, 4]
    assert shape((2, 3, 5), (3,), 4, 2, "same", 0, "channels_first") == [2, 4, 9]


def test_factors_are_finite_and_not_negative():
    assert helpers.validate_float_arg(1, "l1") == 1.0
    with pytest.raises(ValueError, match="l1 to be a finite number, 0 or more"):
        helpers.validate_float_arg(-1.0, "l1")


def test_products_of_test_cases_are_named():
    signs = [{"testcase_name": "minus", "x": -1}, {"testcase_name": "plus", "x": 1}]
    assert named_product(signs, kind=(int, None)) == [
        {"testcase_name": "minus_int", "x": -1, "kind": int},
        {"testcase_name": "plus_int", "x": 1, "kind": int},
        {"testcase_name": "minus_none", "x": -1, "kind": None},
        {"testcase_name": "plus_none", "x": 1, "kind": None},
    ]


def test_data_of_separated_classes():
    (x, y), (x_test, y_test) = get_test_data(7, 4, (2, 3), 2, random_seed=1)
    assert x.shape == (7, 2, 3) and x.dtype == "float32" and x_test.shape == (4, 2, 3)
    assert sorted(np.bincount(y)) == [3, 4] and np.bincount(y_test).tolist() == [2, 2]
    np.testing.assert_array_equal(x, get_test_data(7, 4, (2, 3), 2, random_seed=1)[0][0])
