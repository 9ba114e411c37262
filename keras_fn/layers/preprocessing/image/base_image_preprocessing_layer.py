"""The base class of layers that transform images, with their labels, boxes and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack, cast as cast_type

from keras_fn.backend.contract import SupportsCompileOp
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.core.unknown_sizes import eval_with_two_sizes
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.preprocessing.data_layer import DRAW_LOCK, DataLayer
from keras_fn.layers.preprocessing.image._bounding_boxes import to_dense_boxes
from keras_fn.ops.core import cast, convert_to_tensor, shape as shape_of
from keras_fn.ops.image.bounding_boxes import FORMATS
from keras_fn.ops.logic import less
from keras_fn.ops.manipulation import expand_dims, squeeze
from keras_fn.random import SeedGenerator, uniform
from keras_fn.settings import standardize_data_format
from keras_fn.types import Nested, SeedLike, Tensor

_PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")


class BaseImagePreprocessingLayer(DataLayer):
    """Base class of layers that transform images, and what belongs to them, in one way.

    `call` takes an image of rank 3, a batch of images of rank 4, or a dict of

    - `"images"`: one of these two, in the layer's `data_format`;
    - `"labels"`: of any rank;
    - `"bounding_boxes"`: a dict of `"boxes"`, of shape `(boxes, 4)`, and `"labels"`, of shape
      `(boxes,)`, both with a batch axis for a batch. Nested lists of unequal lengths and ragged
      tensors are padded, with boxes of 0 and labels of -1;
    - `"segmentation_masks"`: class indices, of the shape of the images, of one channel;

    and returns the same, transformed; other entries are returned as they are, and the dict that
    was passed is not changed. It draws one transformation, and passes it to a `transform_*` method
    for each part. **Layers override these methods and nothing else.** They always receive a batch:

    - `get_random_transformation(data, training, seed)` returns whatever the other methods need:
      by default None. All draws are made here, with `seed=self._seed(seed)`, one for each image.
      `self._batch_and_size(data)` returns the numbers of images, rows and columns: integers, or
      scalar tensors where they are unknown in a graph of TensorFlow.
    - `_transform_images(images, transformation)` computes the images: it receives them in the
      compute dtype, and is called in training only. Or override `transform_images`, which casts
      and calls it, for anything else.
    - `transform_labels`, `transform_bounding_boxes`, `transform_segmentation_masks`: by default
      they return what they receive, which is right for layers that change colors.

    `call` itself handles an unbatched image (which becomes a batch of one), symbolic inputs of
    unknown sizes (the methods see sizes), and the default `training=True`: alone the layer
    transforms, in a model only in training. Only images are cast to the compute dtype: boxes and
    labels keep their precision. A layer of geometry derives from `BaseGeometricTransform`, which
    transforms boxes and masks.

    Attributes:
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: The format of the boxes, or None.
        generator: The `SeedGenerator`, of layers that call `_set_seed`.

    Args:
        bounding_box_format: Format of the bounding boxes, such as `"xyxy"`
            (see `keras.utils.bounding_boxes.convert_format`).
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: As of `Layer`.

    Raises:
        ValueError: An argument is not one of these values.

    Example:
        >>> from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
        ...     BaseImagePreprocessingLayer,
        ... )
        >>> class RandomOffset(BaseImagePreprocessingLayer):
        ...     def __init__(self, seed=None, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self._set_seed(seed)
        ...     def get_random_transformation(self, data, training=True, seed=None):
        ...         if not training:
        ...             return None
        ...         batch, _, _ = self._batch_and_size(data)
        ...         return keras.random.uniform((batch, 1, 1, 1), seed=self._seed(seed))
        ...     def _transform_images(self, images, transformation):
        ...         return images + transformation
        >>> layer = RandomOffset()
        >>> layer(np.zeros((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
        >>> float(keras.ops.max(layer(np.zeros((8, 8, 3)), training=False)))
        0.0
    """

    _moves_boxes = False  # whether the format of bounding boxes must be known
    _runs_at_inference = False  # whether the layer does the same at inference
    _is_compilable = True  # whether an eager call can, and should, be one compiled function
    _compiled: Callable[..., Any] | None = None  # of eager calls; see `_run_compiled`

    def __init__(
        self,
        bounding_box_format: str | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.bounding_box_format = _box_format(self, bounding_box_format)
        self.data_format = standardize_data_format(data_format)

    def _set_seed(self, seed: int | None) -> None:
        """Stores the argument `seed`, and creates the generator of the layer's draws."""
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def _seed(self, seed: SeedLike) -> Any:
        """Returns the seed of a draw: the argument, or else the layer's generator, if any."""
        return getattr(self, "generator", None) if seed is None else seed

    # ---------------------------------------------------------------- sizes

    @property
    def _axes(self) -> tuple[int, int, int]:
        """The axes of height, width and channels, counted from the end."""
        return (-3, -2, -1) if self.data_format == "channels_last" else (-2, -1, -3)

    def _batch_and_size(self, data: Nested) -> tuple[Any, Any, Any]:
        """Returns the number of images, 1 for an unbatched one, and their height and width."""
        shape = shape_of(images_of(data))
        height, width, _ = self._axes
        return (shape[0] if len(shape) == 4 else 1), shape[height], shape[width]

    def _is_batch(self, images: Any) -> bool:
        shape = getattr(images, "shape", None)
        if shape is None or len(shape) not in (3, 4):
            raise SpecError(
                self._label,
                expected="an image (rank 3) or a batch of images (rank 4)",
                received=repr(images) if shape is None else f"shape {tuple(shape)}",
                fix="add or drop an axis",
            )
        return len(shape) == 4

    def _applies(self, transformation: Nested, training: bool) -> bool:
        """Returns whether a `transform_*` method does anything."""
        return self._runs_at_inference or bool(training and transformation is not None)

    # ---------------------------------------------------------------- methods to override

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> Nested:
        """Draws the transformation of a batch, for the `transform_*` methods.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw; at inference random layers return None.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            Any nested values; None for no transformation.
        """
        return None

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        """Returns transformed images. `transform_images` casts them and calls it in training."""
        return images

    def transform_images(
        self, images: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms a batch of images.

        Args:
            images: The images, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.

        Returns:
            Images in the compute dtype.
        """
        images = cast(images, self.compute_dtype)
        if not self._applies(transformation, training):
            return images
        return cast(self._transform_images(images, transformation), self.compute_dtype)

    def transform_labels(
        self, labels: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms the labels of a batch: by default not at all.

        Args:
            labels: The labels.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Transforms the bounding boxes of a batch: by default not at all.

        Args:
            bounding_boxes: A dict of boxes and labels.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms the segmentation masks of a batch: by default not at all.

        Args:
            segmentation_masks: The masks, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        return segmentation_masks

    # ---------------------------------------------------------------- single samples

    def transform_single_image(
        self, image: Tensor, transformation: Nested, training: bool = True
    ) -> Tensor:
        """Transforms an image of rank 3.

        Args:
            image: The image.
            transformation: The transformation of a batch of one image.
            training: Whether to transform.
        """
        return _apply_to_one(self.transform_images, image, transformation, training)

    def transform_single_label(
        self, label: Tensor, transformation: Nested, training: bool = True
    ) -> Tensor:
        """Transforms the label of one image.

        Args:
            label: The label.
            transformation: The transformation of a batch of one image.
            training: Whether to transform.
        """
        return _apply_to_one(self.transform_labels, label, transformation, training)

    def transform_single_bounding_box(
        self, bounding_box: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Transforms the bounding boxes of one image.

        Args:
            bounding_box: A dict of boxes and labels.
            transformation: The transformation of a batch of one image.
            training: Whether to transform.
        """
        return _apply_to_one(self.transform_bounding_boxes, bounding_box, transformation, training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Tensor, transformation: Nested, training: bool = True
    ) -> Tensor:
        """Transforms the segmentation mask of one image.

        Args:
            segmentation_mask: The mask, of rank 3.
            transformation: The transformation of a batch of one image.
            training: Whether to transform.
        """
        function = self.transform_segmentation_masks
        return _apply_to_one(function, segmentation_mask, transformation, training)

    # ---------------------------------------------------------------- calling

    def call(self, data: Nested, training: bool = True) -> Nested:
        """Returns the images, or the dict, transformed.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to transform.
        """
        if context.current.symbolic and _has_unknown_sizes(data):
            return eval_with_two_sizes(
                lambda args, _: self._call(*args),
                (data, training),
                {},
                lambda shape, dtype: KerasTensor(shape, dtype, record_history=False),
                lambda x: x.dtype if isinstance(x, KerasTensor) else None,
            )
        return self._call(data, training)

    def _call(self, data: Nested, training: bool) -> Nested:
        parts = dict(data) if isinstance(data, Mapping) else {"images": data}
        is_batch = self._check_parts(parts)
        if not is_batch:
            parts = {k: _add_axis(v) if k in _PARTS else v for k, v in parts.items()}
        known = {k: v for k, v in parts.items() if k in _PARTS}
        if self._runs_compiled(known["images"], training):
            known = self._run_compiled(known, training)
        else:
            inputs = parts if isinstance(data, Mapping) else parts["images"]
            known = self._draw_and_transform(known, inputs, training)
        parts.update(known if is_batch else {k: _drop_axis(v) for k, v in known.items()})
        return parts if isinstance(data, Mapping) else parts["images"]

    def _draw_and_transform(
        self, parts: dict[str, Any], data: Nested, training: bool
    ) -> dict[str, Any]:
        """Draws a transformation for a batch, and applies it to its parts."""
        transformation = self.get_random_transformation(data, training=training)
        return self._transform_parts(parts, transformation, training)

    def _runs_compiled(self, images: Any, training: bool) -> bool:
        """Returns whether a call is eager, and the layer known to have no side effects."""
        return (
            (training or self._runs_at_inference)
            and self._is_compilable
            and supports("compile_op")
            and context.current.stateless is None
            and not context.current.symbolic
            and not current().is_traced(images)
            and is_builtin(type(self))
        )

    def _run_compiled(self, parts: dict[str, Any], training: bool) -> dict[str, Any]:
        """Draws and transforms as one compiled function, whose state is that of the draws."""
        compiled = self._compiled
        if compiled is None:
            compiled = cast_type(SupportsCompileOp, current()).compile_op(self._run_purely)
            self._compiled = compiled
        variables = self.variables
        with DRAW_LOCK:
            parts, values = compiled(parts, [v.value for v in variables], training)
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return parts

    def _run_purely(
        self, parts: dict[str, Any], values: list[Tensor], training: bool
    ) -> tuple[dict[str, Any], list[Tensor]]:
        """Returns the transformed parts, and the variables' values after the draws."""
        variables = self.variables
        with StatelessScope(zip(variables, values, strict=True)) as scope:
            parts = self._draw_and_transform(parts, parts, training)
            return parts, [scope.get_current_value(v) for v in variables]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self._compiled is not None and not name.startswith("_"):
            self._compiled = None  # it was compiled for other options
        if callable(value) and callable(getattr(type(self), name, None)):
            self._is_compilable = False  # a method of the program, which may have side effects

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_compiled": None}

    def _transform_parts(
        self, parts: dict[str, Any], transformation: Nested, training: bool
    ) -> dict[str, Any]:
        """Applies the `transform_*` methods to a batch: images, and what belongs to them."""
        return {
            name: getattr(self, f"transform_{name}")(value, transformation, training=training)
            for name, value in parts.items()
        }

    def _check_parts(self, parts: dict[str, Any]) -> bool:
        """Checks the entries of a dict. Returns whether they are a batch."""
        if "images" not in parts:
            raise SpecError(
                self._label,
                expected='a dict with "images"',
                received=f"the keys {sorted(map(str, parts))}",
                fix=f"pass images, or a dict of {', '.join(_PARTS)}",
            )
        if "bounding_boxes" in parts and self._moves_boxes and not self.bounding_box_format:
            raise SpecError(
                self._label,
                expected="bounding_box_format, as the inputs have bounding boxes",
                received="bounding_box_format=None",
                fix=f'for example {type(self).__name__}(..., bounding_box_format="xyxy")',
            )
        return self._is_batch(parts["images"])

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Also makes lists of boxes tensors, before they would be taken for nested inputs."""
        data = arguments.get("data")
        if isinstance(data, (list, tuple)):
            arguments = {**arguments, "data": self._list_to_tensor(data)}
        elif isinstance(data, Mapping):
            parts = {k: self._list_to_tensor(v) if _is_list(v) else v for k, v in data.items()}
            if "bounding_boxes" in parts:
                parts["bounding_boxes"] = to_dense_boxes(parts["bounding_boxes"], self._label)
            arguments = {**arguments, "data": parts}
        return super()._convert_inputs(arguments)

    def _list_to_tensor(self, values: Any) -> Tensor:
        try:
            return convert_to_tensor(values)
        except SpecError as error:
            raise error.with_context(self._label) from None

    def _float_input_dtype(self, dtype: str) -> str:
        """Returns the dtype: `transform_images` casts images; boxes and labels stay precise."""
        return dtype

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        config = super().get_config()
        if config.get("bounding_box_format", "") is None:
            del config["bounding_box_format"]
        return config


def images_of(data: Nested) -> Any:
    """Returns the images of a dict of images and what belongs to them; images as they are."""
    return data["images"] if isinstance(data, Mapping) else data


def factor_range(
    layer: object, argument: str, factor: Any, bounds: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float]:
    """Returns the limits between which a factor is drawn.

    Args:
        layer: The layer.
        argument: The name of the argument.
        factor: A number `f`, for the limits `(-f, f)` as far as they are in the bounds, or a pair
            of limits in any order.
        bounds: The least and the greatest value.

    Raises:
        ValueError: It is neither, or out of bounds.
    """
    low, high = bounds
    is_pair = isinstance(factor, (list, tuple)) and len(factor) == 2
    values: Any = factor if is_pair else (factor,)
    if not all(_is_number(v) and low <= v <= high for v in values):
        raise argument_error(
            layer,
            argument,
            f"a number, or two, from {low:g} to {high:g}",
            factor,
            f"for example {argument}={high / 2:g}",
        )
    if is_pair:
        return min(values), max(values)
    limit = abs(values[0])
    return max(-limit, low), limit


def as_given(factor: Any) -> Any:
    """Returns a factor as it was passed; a list of limits, which a config has, as a tuple."""
    return tuple(factor) if isinstance(factor, list) else factor


def value_limits(layer: object, value_range: Any) -> tuple[float, float]:
    """Returns the argument `value_range`, if it is two numbers in ascending order.

    Args:
        layer: The layer.
        value_range: The least and the greatest value of a pixel.

    Raises:
        ValueError: It is not.
    """
    is_pair = isinstance(value_range, (list, tuple)) and len(value_range) == 2
    if is_pair and all(map(_is_number, value_range)) and value_range[0] < value_range[1]:
        return value_range[0], value_range[1]
    raise argument_error(
        layer,
        "value_range",
        "the least and the greatest value of a pixel",
        value_range,
        "for example value_range=(0, 255)",
    )


def draw_choices(batch: Any, probability: tuple[float, float], seed: Any) -> Tensor:
    """Returns booleans of shape `(batch,)`, whose probability is drawn for each of them.

    Args:
        batch: Their number.
        probability: The limits of the probability.
        seed: The seed of the draws.
    """
    limit = uniform((batch,), *probability, dtype="float32", seed=seed)
    return less(uniform((batch,), dtype="float32", seed=seed), limit)


def transform_value_range(
    images: Tensor, source: Sequence[float], target: Sequence[float]
) -> Tensor:
    """Maps values from one range to another, linearly.

    Args:
        images: Floats.
        source: The range of the values.
        target: The range of the result.
    """
    if tuple(source) == tuple(target):
        return images
    scale = (target[1] - target[0]) / (source[1] - source[0])
    return (images - source[0]) * scale + target[0]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _box_format(layer: object, name: Any) -> str | None:
    if name is None or (isinstance(name, str) and name.lower() in FORMATS):
        return name
    raise argument_error(
        layer,
        "bounding_box_format",
        f"one of {', '.join(FORMATS)}",
        name,
        'for example bounding_box_format="xyxy"',
    )


def _has_unknown_sizes(data: Nested) -> bool:
    return any(isinstance(x, KerasTensor) and None in x.shape for x in tree.flatten(data))


def _add_axis(value: Nested) -> Nested:
    return tree.map_structure(lambda x: expand_dims(x, 0), value)


def _drop_axis(value: Nested) -> Nested:
    return tree.map_structure(lambda x: squeeze(x, 0), value)


def _apply_to_one(
    transform: Callable[..., Nested], value: Nested, transformation: Nested, training: bool
) -> Nested:
    """Applies a function of a batch to one sample."""
    return _drop_axis(transform(_add_axis(value), transformation, training=training))
