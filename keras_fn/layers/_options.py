"""Keyword arguments that all layers accept, as `TypedDict`s: a misspelled keyword is an error."""

from typing import TypedDict

from keras_fn.types import DTypeLike, RegularizerLike, ShapeLike


class BatchShapeOptions(TypedDict, total=False):
    """The shape of a first layer's input, as Keras 2 passed it, for layers with `input_dim`."""

    input_shape: ShapeLike
    batch_input_shape: ShapeLike
    batch_size: int | None


class InputShapeOptions(BatchShapeOptions, total=False):
    """The shape of a first layer's input, as Keras 2 passed it."""

    input_dim: int | None


class EmbeddingOptions(BatchShapeOptions, total=False):
    """Keyword arguments of `Embedding`, whose `input_dim` is the size of the vocabulary."""

    trainable: bool
    dtype: DTypeLike | None
    autocast: bool
    name: str | None
    input_length: int | None
    activity_regularizer: RegularizerLike | None


class InputLayerOptions(TypedDict, total=False):
    """Keyword arguments of `InputLayer`, as Keras 2 passed them."""

    input_shape: ShapeLike
    batch_input_shape: ShapeLike
    trainable: bool
    autocast: bool


class BaseLayerOptions(InputShapeOptions, total=False):
    """Keyword arguments of layers that list `name` and `activity_regularizer` themselves."""

    trainable: bool
    dtype: DTypeLike | None
    autocast: bool


class UnnamedLayerOptions(BaseLayerOptions, total=False):
    """Keyword arguments of layers that list `name` among their parameters."""

    activity_regularizer: RegularizerLike | None


class NamedLayerOptions(BaseLayerOptions, total=False):
    """Keyword arguments of layers that list `activity_regularizer` among their parameters."""

    name: str | None


class LayerOptions(NamedLayerOptions, total=False):
    """Keyword arguments of all layers; `Layer` describes them."""

    activity_regularizer: RegularizerLike | None


class ImageLayerOptions(LayerOptions, total=False):
    """Keyword arguments of layers that transform images."""

    bounding_box_format: str | None


class ColorLayerOptions(ImageLayerOptions, total=False):
    """Keyword arguments of image layers that do not list `data_format` among their parameters."""

    data_format: str | None


class UnnamedImageLayerOptions(UnnamedLayerOptions, total=False):
    """Keyword arguments of layers that transform images, and list `name` among their parameters."""

    bounding_box_format: str | None


class CellOptions(LayerOptions, total=False):
    """Keyword arguments of the built-in recurrent cells."""

    implementation: int


class RecurrentLayerOptions(NamedLayerOptions, total=False):
    """Keyword arguments of the built-in recurrent layers."""

    zero_output_for_mask: bool
    implementation: int


class ConvRecurrentLayerOptions(NamedLayerOptions, total=False):
    """Keyword arguments of the convolutional recurrent layers."""

    unroll: bool
    zero_output_for_mask: bool
