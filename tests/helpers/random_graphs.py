"""Random Functional models, for keras_fn and for real Keras: nested, shared, of several tensors.

A `Recipe` says what to build, in plain values, so that one recipe gives the same model with either
package. Every tensor is of shape `(None, 3)`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

SIZE = 3


class Recipe(NamedTuple):
    """What a model is made of.

    Attributes:
        inputs: How many inputs there are.
        nesting: How inputs and outputs are nested: keys of `NESTINGS`.
        is_optional: Whether the last input may be None.
        steps: For each step, its kind, a number that picks a layer, and two that pick tensors.
        outputs: Numbers that pick the output tensors.
    """

    inputs: int
    nesting: tuple[str, str]
    is_optional: bool
    steps: list[tuple[str, int, int, int]]
    outputs: list[int]


NESTINGS: dict[str, Callable[[list[Any]], Any]] = {
    "single": lambda x: x[0] if len(x) == 1 else list(x),
    "list": list,
    "dict": lambda x: {f"key_{i}": t for i, t in enumerate(x)},
    "nested": lambda x: [x[0], {"rest": list(x[1:])}] if len(x) > 1 else {"only": x[0]},
}
UNARY = ("dense", "norm", "op", "split", "call", "inner", "stack")
BINARY = ("add", "concatenate", "op2", "pair")


def recipes() -> st.SearchStrategy[Recipe]:
    """Returns a strategy of recipes."""
    number = st.integers(0, 7)
    step = st.tuples(st.sampled_from(UNARY + BINARY), number, number, number)
    nestings = st.sampled_from(sorted(NESTINGS))
    return st.builds(
        Recipe,
        inputs=st.integers(1, 3),
        nesting=st.tuples(nestings, nestings),
        is_optional=st.booleans(),
        steps=st.lists(step, min_size=1, max_size=7),
        outputs=st.lists(number, min_size=1, max_size=3),
    )


class _Builder:
    """Builds the model of a recipe with a package."""

    def __init__(self, package: Any, recipe: Recipe):
        self.keras, self.recipe = package, recipe
        self.layers: dict[tuple[str, int], Any] = {}

    def layer(self, kind: str, index: int, make: Callable[[], Any]) -> Any:
        """Returns the layer of that kind and number; there are two of a kind, which calls share."""
        key = kind, index % 2
        if key not in self.layers:
            self.layers[key] = make()
        return self.layers[key]

    def dense(self, index: int) -> Any:
        layers = self.keras.layers
        return self.layer(
            "dense", index, lambda: layers.Dense(SIZE, activation="tanh", name=f"dense_{index % 2}")
        )

    def inner(self, index: int) -> Any:
        """A nested Functional model of two inputs, whose layer is shared with the outer one."""

        def make() -> Any:
            a = self.keras.Input((SIZE,), name="a")
            b = self.keras.Input((SIZE,), name="b")
            dense = self.dense(index)
            return self.keras.Model([a, b], dense(a) * 0.5 + b, name=f"inner_{index % 2}")

        return self.layer("inner", index, make)

    def stack(self, index: int) -> Any:
        def make() -> Any:
            own = self.keras.layers.Dense(SIZE, name="own")
            return self.keras.Sequential(
                [self.keras.Input((SIZE,)), own, self.keras.layers.ReLU(name="relu")],
                name=f"stack_{index % 2}",
            )

        return self.layer("stack", index, make)

    def run(self, kind: str, index: int, x: Any, y: Any) -> Any:
        """Returns the result of a step."""
        keras = self.keras
        if kind == "dense":
            return self.dense(index)(x)
        if kind == "norm":
            make = keras.layers.BatchNormalization
            return self.layer(kind, index, lambda: make(name=f"norm_{index % 2}"))(x)
        if kind == "op":
            return keras.ops.tanh(x) * 0.5
        if kind == "op2":
            return keras.ops.maximum(x, y) - 0.25
        if kind == "split":
            first, rest = keras.ops.split(x, [1], axis=-1)
            return keras.ops.concatenate([rest, first], axis=-1)
        if kind == "call":
            return keras.layers.Dropout(0.5)(x, training=False)
        if kind == "inner":
            return self.inner(index)([x, x])
        if kind == "pair":
            return self.inner(index)([x, y])
        if kind == "stack":
            return self.stack(index)(x)
        if kind == "add":
            return keras.layers.Add()([x, y])
        joined = keras.layers.Concatenate()([x, y])
        return keras.layers.Dense(SIZE)(joined)

    def build(self) -> Any:
        """Returns the model."""
        keras, recipe = self.keras, self.recipe
        inputs = [keras.Input((SIZE,), name=f"input_{i}") for i in range(recipe.inputs)]
        tensors = list(inputs)
        if recipe.is_optional:
            inputs.append(keras.Input((SIZE,), name="optional", optional=True))
            tensors.append(if_given(keras)(tensors[0], inputs[-1]))
        for kind, index, i, j in recipe.steps:
            x, y = tensors[-1 - i % len(tensors)], tensors[j % len(tensors)]
            tensors.append(self.run(kind, index, x, y))
        outputs = [tensors[-1 - i % len(tensors)] for i in recipe.outputs]
        nest_inputs, nest_outputs = (NESTINGS[name] for name in recipe.nesting)
        return keras.Model(nest_inputs(inputs), nest_outputs(outputs), name="random")


_IF_GIVEN: dict[str, Any] = {}


def if_given(package: Any) -> Any:
    """Returns a layer that adds a tensor if there is one."""
    if package.__name__ not in _IF_GIVEN:

        @package.saving.register_keras_serializable("random_graphs", "AddIfGiven")
        class AddIfGiven(package.layers.Layer):
            def call(self, x: Any, extra: Any = None) -> Any:
                return x if extra is None else x + extra

            def compute_output_shape(self, x_shape: Any, extra_shape: Any = None) -> Any:
                return x_shape

        AddIfGiven.__qualname__ = AddIfGiven.__name__ = f"AddIfGiven_{package.__name__}"
        globals()[AddIfGiven.__name__] = AddIfGiven  # where pickle looks for it
        _IF_GIVEN[package.__name__] = AddIfGiven
    return _IF_GIVEN[package.__name__]()


def build_model(package: Any, recipe: Recipe) -> Any:
    """Returns the model of a recipe, with weights that are not those of initializers.

    Args:
        package: keras_fn, or real Keras.
        recipe: The recipe.
    """
    model = _Builder(package, recipe).build()
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 0.9, w.shape).astype("float32") for w in model.weights])
    return model


def make_inputs(recipe: Recipe, is_given: bool = True) -> Any:
    """Returns data for the model of a recipe.

    Args:
        recipe: The recipe.
        is_given: Whether the optional input has a value.
    """
    rng = np.random.default_rng(1)
    count = recipe.inputs + recipe.is_optional
    arrays: list[Any] = [rng.normal(size=(2, SIZE)).astype("float32") for _ in range(count)]
    if recipe.is_optional and not is_given:
        arrays[-1] = None
    return NESTINGS[recipe.nesting[0]](arrays)


def run_model(package: Any, model: Any, inputs: Any) -> list[np.ndarray]:
    """Returns the outputs of a model, flat, as arrays."""
    outputs = package.tree.flatten(model(inputs, training=False))
    return [np.asarray(package.ops.convert_to_numpy(x)) for x in outputs]
