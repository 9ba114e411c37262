"""What Keras's `TestCase.run_layer_test` checks of a layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_fn import random
from keras_fn.backend.loader import current, name as backend_name
from keras_fn.core import tree
from keras_fn.core.dtypes import is_float, standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.losses import Loss
from keras_fn.models import Model
from keras_fn.ops import cast, shape, sum as sum_

_COUNTED = ("trainable_weights", "non_trainable_weights", "non_trainable_variables")


@dataclass
class LayerTest:
    """One layer, and what is expected of it. None expects nothing.

    Attributes:
        case: The test case whose assertions are used.
        layer_cls: The class of the layer.
        init_kwargs: The arguments of its constructor.
        input_shape: Shape of the input; a list, tuple or dict (`x_shape` for the argument `x`) of
            shapes for several.
        input_dtype: Its dtype, nested in the same way.
        input_sparse: Whether it is sparse.
        input_ragged: Whether it is ragged.
        input_data: The input itself, in place of a shape.
        call_kwargs: Further arguments of the call.
        expected_output_shape: Shape of the output, nested as the output.
        expected_output_dtype: Its dtype.
        expected_output_sparse: Whether it is sparse.
        expected_output_ragged: Whether it is ragged.
        expected_output: Its values.
        expected_num_trainable_weights: Length of `layer.trainable_weights`; this and the next two.
        expected_num_non_trainable_weights: Length of `layer.non_trainable_weights`.
        expected_num_non_trainable_variables: Length of `layer.non_trainable_variables`.
        expected_num_seed_generators: Number of seed generators, those of sublayers included.
        expected_num_losses: Length of `layer.losses` after a call.
        supports_masking: Value of the attribute.
        expected_mask_shape: Shape of what `compute_mask` returns.
        custom_objects: Classes and functions that its config names.
        run_training_check: Whether to train it for a step.
        run_mixed_precision_check: Whether to call it in mixed precision.
        assert_built_after_instantiation: Whether the constructor builds it.
        tpu_atol: Absolute tolerance of the values on a TPU.
        tpu_rtol: Relative tolerance of the values on a TPU.
    """

    case: Any
    layer_cls: type[Any]
    init_kwargs: dict[str, Any] | None
    input_shape: Any = None
    input_dtype: Any = None
    input_sparse: bool = False
    input_ragged: bool = False
    input_data: Any = None
    call_kwargs: dict[str, Any] | None = None
    expected_output_shape: Any = None
    expected_output_dtype: Any = None
    expected_output_sparse: bool = False
    expected_output_ragged: bool = False
    expected_output: Any = None
    expected_num_trainable_weights: int | None = None
    expected_num_non_trainable_weights: int | None = None
    expected_num_non_trainable_variables: int | None = None
    expected_num_seed_generators: int | None = None
    expected_num_losses: int | None = None
    supports_masking: bool | None = None
    expected_mask_shape: Any = None
    custom_objects: dict[str, Any] | None = None
    run_training_check: bool = True
    run_mixed_precision_check: bool = True
    assert_built_after_instantiation: bool = False
    tpu_atol: float | None = None
    tpu_rtol: float | None = None

    def run(self) -> None:
        """Makes all checks that do not need what is None."""
        self._check_arguments()
        self.case.run_class_serialization_test(self._make(), self.custom_objects)
        if self.supports_masking is not None:
            self.case.assertEqual(self._make().supports_masking, self.supports_masking)
        if self.input_shape is None and self.input_data is None:
            return
        data = self._make_data() if self.input_data is None else self.input_data
        specs = self._make_specs()
        self._count_state(data)
        self._check_build()
        self._check_symbolic_call(specs)
        self._check_call(data)
        if self.run_mixed_precision_check and backend_name() != "torch":  # slow, or absent, on CPUs
            self._check_mixed_precision(specs, data)

    def _check_arguments(self) -> None:
        excluded = (
            ("input_shape", "input_data"),
            ("expected_output_shape", "expected_output"),
        )
        needed = (("expected_output", "input_data"), ("expected_mask_shape", "supports_masking"))
        for first, second in excluded:
            if getattr(self, first) is not None and getattr(self, second) is not None:
                raise _argument_error(f"{first} or {second}", "both")
        for first, second in needed:
            if getattr(self, first) is not None and getattr(self, second) is None:
                raise _argument_error(f"{second} with {first}", f"{first} alone")

    def _make(self, **more: Any) -> Any:
        return self.layer_cls(**{**(self.init_kwargs or {}), **more})

    def _call(self, layer: Any, inputs: Any) -> Any:
        kwargs = self.call_kwargs or {}
        return layer(**inputs, **kwargs) if isinstance(inputs, dict) else layer(inputs, **kwargs)

    def _make_data(self) -> Any:
        make = _make_sparse if self.input_sparse else _make_ragged if self.input_ragged else None
        return map_shapes(make or _make_dense, self.input_shape, self.input_dtype or "float32")

    def _make_specs(self) -> Any:
        kinds: dict[str, Any] = {"sparse": self.input_sparse, "ragged": self.input_ragged}
        if self.input_shape is None:
            return tree.map_structure(
                lambda x: KerasTensor(shape(x), standardize_dtype(x.dtype), **kinds),
                self.input_data,
            )
        return map_shapes(
            lambda size, dtype: KerasTensor(size, dtype, **kinds),
            self.input_shape,
            self.input_dtype or "float32",
        )

    def _count_state(self, data: Any) -> None:
        """Completes the expected numbers of variables by those of a layer that was called."""
        layer = self._make()
        self._call(layer, data)
        for name, count in _counts(layer).items():
            if getattr(self, f"expected_num_{name}") is None:
                setattr(self, f"expected_num_{name}", count)

    def _check_state(self, layer: Any) -> None:
        self.case.assertTrue(layer.built)
        for name, count in _counts(layer).items():
            expected = getattr(self, f"expected_num_{name}")
            self.case.assertEqual(count, expected, f"Unexpected number of {name}")

    def _check_build(self) -> None:
        shapes = self.input_shape
        if shapes is None:
            shapes = tree.map_structure(shape, self.input_data)
        layer = self._make()
        layer.build(**shapes) if isinstance(shapes, dict) else layer.build(shapes)
        self._check_state(layer)
        if self.assert_built_after_instantiation:
            self.case.assertTrue(self._make().built, "built by its constructor")
            derived = type("Derived", (self.layer_cls,), {"build": lambda *args, **kwargs: None})
            self.case.assertFalse(derived(**self.init_kwargs or {}).built, "its own build")

    def _check_symbolic_call(self, specs: Any) -> None:
        layer = self._make()
        outputs = self._call(layer, specs)
        self._check_state(layer)
        self._check_outputs(outputs)
        if self.expected_mask_shape is not None:
            self.case.assertEqual(layer.compute_mask(specs).shape, self.expected_mask_shape)

    def _check_call(self, data: Any) -> None:
        layer = self._make()
        outputs = self._call(layer, data)
        self._check_outputs(outputs)
        if self.expected_output is not None:
            expected = tree.flatten(self.expected_output)
            for found, right in zip(tree.flatten(outputs), expected, strict=True):
                self.case.assertAllClose(
                    found, right, tpu_atol=self.tpu_atol, tpu_rtol=self.tpu_rtol
                )
        if self.expected_num_losses is not None:
            self.case.assertLen(layer.losses, self.expected_num_losses)
        if self.run_training_check:
            self._train(layer, data, outputs)

    def _check_outputs(self, outputs: Any) -> None:
        if self.expected_output_shape is not None:
            found = tree.map_structure(lambda x: tuple(x.shape), outputs)
            expected = map_shapes(lambda size, _: size, self.expected_output_shape, None)
            is_same = _flatten_shapes(expected), _flatten_shapes(found)
            matches = len(is_same[0]) == len(is_same[1]) and all(map(_fits, *is_same))
            self.case.assertTrue(matches, f"expected shapes {expected}, found {found}")
        if self.expected_output_dtype is not None:
            found = [standardize_dtype(x.dtype) for x in tree.flatten(outputs)]
            self.case.assertEqual(found, tree.flatten(self.expected_output_dtype))
        for output in tree.flatten(outputs):
            if self.expected_output_sparse:
                self.case.assertSparse(output)
            if self.expected_output_ragged:
                self.case.assertRagged(output)

    def _train(self, layer: Any, data: Any, outputs: Any) -> None:
        model = _Wrapper(layer)
        # TensorFlow compiles no sparse tensors.
        is_uncompiled = self.input_sparse and backend_name() == "tensorflow"
        model.compile("sgd", _SumOfOutputs(), jit_compile=False if is_uncompiled else "auto")
        pair = (data, outputs)
        if backend_name() == "torch":
            pair = tree.map_structure(self.case.convert_to_numpy, pair)
        model.fit(iter([pair]), steps_per_epoch=1, verbose=0)

    def _check_mixed_precision(self, specs: Any, data: Any) -> None:
        layer = self._make(dtype="mixed_float16")
        outputs = self._call(layer, data)

        def cast_spec(spec: KerasTensor) -> KerasTensor:
            is_cast = layer.autocast and is_float(spec.dtype)
            return KerasTensor(spec.shape, layer.compute_dtype if is_cast else spec.dtype)

        inputs = tree.map_structure(cast_spec, specs)
        kwargs = inputs if isinstance(inputs, dict) else {}
        found = layer.compute_output_spec(*() if kwargs else (inputs,), **kwargs)
        for output, spec in zip(tree.flatten(outputs), tree.flatten(found), strict=True):
            self.case.assertDType(output, spec.dtype)
        for weight in layer.weights:
            if is_float(standardize_dtype(weight.dtype)):
                self.case.assertDType(weight, "float32")


class _Wrapper(Model):
    """A model of one layer."""

    def __init__(self, layer: Any):
        super().__init__()
        self.layer = layer

    def call(self, x: Any, training: bool = False) -> Any:
        """Calls the layer."""
        return self.layer(x, training=training)


class _SumOfOutputs(Loss):
    """A loss of outputs of any kind, also sparse and ragged ones."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return sum_(y_pred)


def map_shapes(function: Callable[[Any, Any], Any], shapes: Any, dtypes: Any) -> Any:
    """Returns a function of each shape and its dtype, nested as the shapes are.

    Args:
        function: Takes a shape and a dtype.
        shapes: A shape, or shapes in lists, tuples and dicts; a key `x_shape` becomes `x`.
        dtypes: A dtype for all, or dtypes nested as the shapes.
    """
    if _is_shape(shapes):
        return function(tuple(shapes), dtypes)
    is_one = not isinstance(dtypes, (list, tuple, dict))
    if isinstance(shapes, dict):
        return {
            key.removesuffix("_shape"): map_shapes(
                function, size, dtypes if is_one else dtypes[key]
            )
            for key, size in shapes.items()
        }
    each = [dtypes] * len(shapes) if is_one else dtypes
    pairs = zip(shapes, each, strict=True)
    return type(shapes)([map_shapes(function, size, dtype) for size, dtype in pairs])


def _is_shape(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(size is None or isinstance(size, int) for size in x)


def _flatten_shapes(shapes: Any) -> list[Any]:
    return tree.flatten(shapes, is_leaf=_is_shape)


def _fits(expected: Any, found: Any) -> bool:
    return len(expected) == len(found) and all(
        wanted in (None, size) for wanted, size in zip(expected, found, strict=True)
    )


def _make_dense(size: Any, dtype: Any) -> Any:
    return cast(random.uniform(size, dtype="float32") * 3, dtype)


def _draw_with_zeros(size: Any, dtype: Any) -> np.ndarray:
    generator = np.random.default_rng(0)
    x = (4 * generator.standard_normal(size)).astype(dtype)
    return x * (generator.random(size) < 0.7)


def _make_sparse(size: Any, dtype: Any) -> Any:
    x = _draw_with_zeros(size, dtype)
    indices = np.argwhere(x)
    backend: Any = current()
    return backend.sparse_from_numpy(indices, x[tuple(indices.T)], x.shape)


def _make_ragged(size: Any, dtype: Any) -> Any:
    x = np.abs(_draw_with_zeros(size, dtype)) + 1
    lengths = np.random.default_rng(1).integers(1, size[1] + 1, size[0])
    rows = np.concatenate([row[:length] for row, length in zip(x, lengths, strict=True)])
    backend: Any = current()
    return backend.ragged_from_rows(rows, lengths)


def _counts(layer: Any) -> dict[str, int]:
    counts = {name: len(getattr(layer, name)) for name in _COUNTED}
    seeds = [v for v in layer.non_trainable_variables if v.name == "seed_generator_state"]
    return counts | {"seed_generators": len(seeds)}


def _argument_error(expected: str, received: str) -> SpecError:
    return SpecError(
        "run_layer_test",
        expected=expected,
        received=received,
        fix="see keras_fn.alias.layer_test.LayerTest",
    )


def is_on_device(device: str, backend: str | None = None) -> bool:
    """Returns whether the backend computes on a kind of device.

    Args:
        device: `"gpu"` or `"tpu"`.
        backend: Name of the backend that is meant; None for any.
    """
    if backend is not None and backend != backend_name():
        return False
    where = str(getattr(current().convert_to_tensor(0.0), "device", "")).lower()
    return device in where or (device == "gpu" and "cuda" in where)
