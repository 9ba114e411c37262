"""The base class of layers that apply other image layers, chosen at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_fn.core import tree
from keras_fn.core.scopes import context
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.layers.preprocessing.image._pixels import for_each_image
from keras_fn.layers.preprocessing.image.auto_contrast import AutoContrast
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from keras_fn.layers.preprocessing.image.equalization import Equalization
from keras_fn.layers.preprocessing.image.random_brightness import RandomBrightness
from keras_fn.layers.preprocessing.image.random_color_degeneration import RandomColorDegeneration
from keras_fn.layers.preprocessing.image.random_contrast import RandomContrast
from keras_fn.layers.preprocessing.image.random_posterization import RandomPosterization
from keras_fn.layers.preprocessing.image.random_rotation import RandomRotation
from keras_fn.layers.preprocessing.image.random_sharpness import RandomSharpness
from keras_fn.layers.preprocessing.image.random_shear import RandomShear
from keras_fn.layers.preprocessing.image.random_translation import RandomTranslation
from keras_fn.layers.preprocessing.image.solarization import Solarization
from keras_fn.ops.arithmetic import add
from keras_fn.ops.control_flow import fori_loop, switch
from keras_fn.ops.core import cast
from keras_fn.ops.image._data_format import compute_dtype
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import equal, where
from keras_fn.random import SeedGenerator, randint
from keras_fn.types import Nested, Tensor

_MAX = 2**31 - 1


class _Keys(SeedGenerator):
    """The keys of the draws of one step: those that follow a first key."""

    def __init__(self, first: Tensor):
        self._next = first

    def next(self, ordered: bool = True) -> Tensor:
        """Returns the next key."""
        key = self._next
        self._next = add(key, [0, 1])
        return key


class BaseRandomPolicy(BaseColorTransform):
    """Base class of layers that apply other image layers, chosen at random.

    A step is the index of a layer, and the key of its draws. Only the layer that was chosen runs,
    except under `torch.compile`, whose graphs have no branches. The choice is made for the whole
    batch, the draws for each image.

    Attributes:
        _names: The attributes that hold the layers, in the order of their indices.
    """

    _names: tuple[str, ...] = ()
    _is_compilable = False  # op by op, only the layers that are chosen are compiled, not all
    data_format: str

    def _make_layers(self, factor: tuple[float, float], value_range: Any, interpolation: str):
        """Creates the layers. All compute in 32 bits at least."""
        common: dict[str, Any] = {
            "data_format": self.data_format,
            "dtype": compute_dtype(self.compute_dtype),
        }
        seeded = {"seed": self.seed, **common}
        moved = {
            "interpolation": interpolation,
            "bounding_box_format": self.bounding_box_format,
            **seeded,
        }
        colored = {"value_range": value_range, **seeded}
        bits = max(1, int(8 * factor[1]))
        self.random_shear = RandomShear(factor, factor, **moved)
        self.random_translation = RandomTranslation(factor, factor, **moved)
        self.random_rotation = RandomRotation(factor, **moved)
        self.solarization = Solarization(factor, factor, **colored)
        self.random_posterization = RandomPosterization(bits, **colored)
        self.auto_contrast = AutoContrast(value_range, **common)
        self.equalization = Equalization(value_range, **common)
        if "random_brightness" in self._names:
            self.random_brightness = RandomBrightness(factor, **colored)
            self.random_color_degeneration = RandomColorDegeneration(factor, **colored)
            self.random_contrast = RandomContrast(factor, **colored)
            self.random_sharpness = RandomSharpness(factor, **colored)

    def _draw_keys(self, shape: tuple[int, ...], seed: Any) -> Tensor:
        """Returns the first key of each step, of shape `(*shape, 2)`."""
        return randint((*shape, 2), 0, _MAX, dtype="int32", seed=seed)

    def _apply(self, part: str, index: Any, key: Any, images: Any, value: Any) -> Any:
        """Applies the layer at an index to a part; an index past the last one is the identity.

        Args:
            part: The part that the value is: `"images"`, `"bounding_boxes"` and so on.
            index: An integer scalar; under `torch.compile` also one for each image.
            key: The first key of the draws.
            images: The images that the transformation is drawn for.
            value: A tensor, or a dict of tensors.
        """

        def branch(layer: BaseImagePreprocessingLayer) -> Callable[[Any], Any]:
            def run(value: Any) -> Any:
                drawn = layer.get_random_transformation(images, training=True, seed=_Keys(key))
                return _like(transform_part(layer, part, value, drawn), value)

            return run

        branches = [*(branch(getattr(self, name)) for name in self._names), lambda value: value]
        if not is_dynamo_compiling():
            return switch(index, branches, value)
        result = value
        for i, run in enumerate(branches[:-1]):
            is_chosen = equal(index, i)
            is_chosen = for_each_image(is_chosen) if is_chosen.shape else is_chosen
            result = tree.map_structure(
                lambda new, old, chosen=is_chosen: where(chosen, new, old), run(value), result
            )
        return result


def repeat(count: int, step: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeats `value = step(i, value)` for `i` in `range(count)`; compiled only once.

    In a symbolic call nothing is computed: a step does not change the spec.
    """
    if context.current.symbolic:
        return value
    if not is_dynamo_compiling():
        return fori_loop(0, count, step, value)
    for i in range(count):
        value = step(i, value)
    return value


def at(x: Any, *indices: Any) -> Tensor:
    """Returns an element, or a slice, at indices that may be tensors."""
    for i in indices:
        x = take(x, i, axis=0)
    return x


def transform_part(layer: Any, part: str, value: Any, transformation: Nested) -> Any:
    """Transforms one part of the data of a layer: `"images"`, `"bounding_boxes"` and so on."""
    return getattr(layer, f"transform_{part}")(value, transformation, training=True)


def _like(result: Any, value: Any) -> Any:
    """Returns a result in the dtypes of the value that it was computed from."""
    if isinstance(value, Mapping):
        return {key: cast(result[key], x.dtype) for key, x in value.items()}
    return cast(result, value.dtype)
