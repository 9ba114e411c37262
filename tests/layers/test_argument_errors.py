"""What layers say of arguments and inputs that they cannot use, word for word."""

import numpy as np
import pytest

from keras_fn import layers
from keras_fn.layers import Input


def zeros(*shape):
    return np.zeros(shape, "float32")


# What is called: who says it, what was expected, what came, what to do.
ERRORS = {
    "filters": (
        lambda: layers.Conv2D(0, 3),
        "Conv2D", "filters: a positive integer", "filters=0", "for example filters=8",
    ),
    "too many sizes": (
        lambda: layers.Conv2D(4, (3, 3, 3)),
        "Conv2D", "kernel_size: an integer of 1 or more, or 2 of them", "kernel_size=(3, 3, 3)",
        "for example kernel_size=2",
    ),
    "strides": (
        lambda: layers.Conv3D(4, 3, strides=0),
        "Conv3D", "strides: an integer of 1 or more, or 3 of them", "strides=0",
        "for example strides=2",
    ),
    "causal over two axes": (
        lambda: layers.Conv2D(4, 3, padding="causal"),
        "Conv2D", "padding: 'valid' or 'same'", "padding='causal'", "for example padding='valid'",
    ),
    "padding": (
        lambda: layers.Conv1D(4, 3, padding="full"),
        "Conv1D", "padding: 'valid' or 'same' or 'causal'", "padding='full'",
        "for example padding='valid'",
    ),
    "strides and dilation": (
        lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2),
        "Conv2D", "strides: 1 where dilation_rate=(2, 2)", "strides=(2, 2)",
        "set one of strides and dilation_rate to 1",
    ),
    "groups of filters": (
        lambda: layers.Conv2D(4, 3, groups=3),
        "Conv2D", "filters: a multiple of groups=3", "filters=4", "for example filters=3",
    ),
    "groups of channels": (
        lambda: layers.Conv2D(4, 3, groups=2, name="c")(Input((8, 8, 3))),
        "Conv2D layer 'c'", "a number of channels that groups=2 divides",
        "3 channels (shape (None, 8, 8, 3), channels_last)",
        "change groups, or check data_format",
    ),
    "unknown channels": (
        lambda: layers.Conv2D(4, 3, name="c")(Input((8, 8, None))),
        "Conv2D layer 'c'", "an input whose axis -1 has a known size",
        "shape (None, 8, 8, None)", "set the size in Input, for example Input(shape=(64,))",
    ),
    "rank": (
        lambda: layers.Conv2D(4, 3, name="c")(Input((8, 8))),
        "Conv2D layer 'c'", "an input of rank 4", "shape (None, 8, 8)",
        "name all axes but the batch in Input(shape=...), or reshape the input",
    ),
    "window": (
        lambda: layers.Conv2D(4, 9, name="c")(Input((8, 8, 3))),
        "Conv2D layer 'c', in ops.conv", "spatial sizes that hold a window of (9, 9)",
        "sizes (8, 8), dilation_rate (1, 1)",
        "make the kernel or the pool smaller, or use padding='same'",
    ),
    "output padding": (
        lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2),
        "Conv2DTranspose", "output_padding: less than strides=(2, 2)", "output_padding=2",
        "leave it None, or choose larger strides",
    ),
    "pool": (
        lambda: layers.MaxPooling2D(9, name="p")(Input((4, 8, 3))),
        "MaxPooling2D layer 'p', in ops.max_pool", "spatial sizes that hold a window of (9, 9)",
        "sizes (4, 8), dilation_rate (1, 1)",
        "make the kernel or the pool smaller, or use padding='same'",
    ),
    "target": (
        lambda: layers.Reshape((2, -2)),
        "Reshape", "target_shape: a tuple of integers of 0 or more, or -1",
        "target_shape=(2, -2)", "for example target_shape=(28, 28, 1)",
    ),
    "two unknown": (
        lambda: layers.Reshape((-1, -1)),
        "Reshape", "target_shape: one size of -1 at most", "target_shape=(-1, -1)",
        "set the others",
    ),
    "elements": (
        lambda: layers.Reshape((4, -1), name="r")(Input((5,))),
        "Reshape layer 'r'", "samples whose elements fill target_shape=(4, -1)",
        "samples of shape (5,), 5 elements",
        "compare the numbers of elements, or set one size to -1",
    ),
    "dims": (
        lambda: layers.Permute((0, 1)),
        "Permute", "dims: each axis once, counted from 1 (the batch axis stays)", "dims=(0, 1)",
        "for example dims=(2, 1)",
    ),
    "pads": (
        lambda: layers.ZeroPadding2D((1, 2, 3)),
        "ZeroPadding2D", "padding: an integer of 0 or more, 2 of them, or 2 pairs",
        "padding=(1, 2, 3)", "for example padding=((1, 1), (1, 1))",
    ),
    "crop": (
        lambda: layers.Cropping2D(4, name="c")(Input((8, 9, 1))),
        "Cropping2D layer 'c'", "sizes above what cropping=((4, 4), (4, 4)) takes off",
        "shape (None, 8, 9, 1), channels_last", "crop less, or check data_format",
    ),
    "interpolation": (
        lambda: layers.UpSampling2D(2, interpolation="area"),
        "UpSampling2D",
        "interpolation: 'nearest' or 'bilinear' or 'bicubic' or 'lanczos3' or 'lanczos5'",
        "interpolation='area'", "for example interpolation='nearest'",
    ),
    "rate": (
        lambda: layers.Dropout(2),
        "Dropout", "rate: a number from 0 to 1", "rate=2", "for example rate=0.5",
    ),
    "noise shape": (
        lambda: layers.Dropout(0.5, noise_shape=(0, 1)),
        "Dropout", "noise_shape: a tuple of positive integers and None", "noise_shape=(0, 1)",
        "for example noise_shape=(None, 1, None)",
    ),
    "endless noise": (
        lambda: layers.GaussianDropout(1),
        "GaussianDropout", "rate: less than 1, at which the variance is infinite", "rate=1",
        "for example rate=0.5",
    ),
    "clipping": (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 0.1, "rmin": 1.0}),
        "BatchNormalization", "renorm_clipping: rmin <= rmax and dmax >= 0, or some of them",
        "renorm_clipping={'rmax': 0.1, 'rmin': 1.0}",
        "for example renorm_clipping={'rmin': 0.3, 'rmax': 3.0, 'dmax': 5.0}",
    ),
    "axis": (
        lambda: layers.BatchNormalization(axis=4, name="b")(Input((3,))),
        "BatchNormalization layer 'b'", "an axis from -2 to 1",
        "axis=4 for a tensor of rank 2", "pass an axis of the tensor",
    ),
    "mask of all elements": (
        lambda: layers.BatchNormalization(name="b")(
            zeros(2, 3, 4), training=True, mask=np.ones((2, 3, 4), bool)
        ),
        "BatchNormalization layer 'b'", "a mask of rank 2, the rank of the inputs minus 1",
        "mask (2, 3, 4), inputs (2, 3, 4)", "remove the last axis of the mask",
    ),
    "axis of a norm": (
        lambda: layers.LayerNormalization(axis="x"),
        "LayerNormalization", "axis: an integer, or a list of them", "axis='x'",
        "for example axis=-1",
    ),
    "groups": (
        lambda: layers.GroupNormalization(3, name="g")(Input((4,))),
        "GroupNormalization layer 'g'", "a number of channels that groups=3 divides",
        "4 channels at axis -1 (shape (None, 4))", "change groups",
    ),
    "one input": (
        lambda: layers.Add(name="a")(Input((4,))),
        "Add layer 'a'", "a list of 1 or more inputs", "one tensor, or something else",
        "call it on a list: layer([a, b])",
    ),
    "shapes": (
        lambda: layers.Add(name="a")([Input((4,)), Input((3,))]),
        "Add layer 'a'",
        "inputs of one batch size, with other sizes that are equal or 1, from the last axis on",
        "shapes (None, 4) and (None, 3)",
        "change their shapes, for example with Dense or Reshape",
    ),
    "batches": (
        lambda: layers.Maximum(name="m")([zeros(2, 3), zeros(1, 3)]),
        "Maximum layer 'm'",
        "inputs of one batch size, with other sizes that are equal or 1, from the last axis on",
        "shapes (2, 3) and (1, 3)", "change their shapes, for example with Dense or Reshape",
    ),
    "three to subtract": (
        lambda: layers.Subtract(name="s")([Input((4,))] * 3),
        "Subtract layer 's'", "a list of 2 inputs", "3 inputs",
        "call it on a list: layer([a, b])",
    ),
    "joined": (
        lambda: layers.Concatenate(name="c")([Input((4, 2)), Input((3, 2))]),
        "Concatenate layer 'c'", "inputs whose shapes differ along axis -1 only",
        "shapes (None, 4, 2) and (None, 3, 2)",
        "choose another axis, or make the other sizes equal",
    ),
    "axes of products": (
        lambda: layers.Dot(0, name="d")([Input((4,)), Input((4,))]),
        "Dot layer 'd'", "one batch size, and one size along axes=0, not the batch axis",
        "shapes (None, 4) and (None, 4)",
        "choose other axes, or permute the axes of one input with Permute",
    ),
    "table": (
        lambda: layers.Embedding(3, 2, weights=zeros(2, 2), name="e"),
        "Embedding layer 'e'", "shape (3, 2) for the weight 'e/embeddings'", "shape (2, 2)",
        "pass a list as get_weights() returns it",
    ),
    "no function": (
        lambda: layers.Lambda(3),
        "Lambda", "function: a callable", "function=3",
        "for example Lambda(lambda x: x * 2)",
    ),
    "slope": (
        lambda: layers.ReLU(negative_slope=-1),
        "ReLU", "negative_slope: a number of 0 or more", "negative_slope=-1",
        "for example negative_slope=1.0",
    ),
    "mask of a softmax": (
        lambda: layers.Softmax(name="s")(zeros(2, 3), mask=np.ones((2, 4), bool)),
        "Softmax layer 's'", "a mask that broadcasts to the inputs, (2, 3)",
        "a mask of shape (2, 4)",
        "give it the sizes of the inputs, or 1, from the last axis on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_source_expected_received_and_fix(name):
    call, source, expected, given, fix = ERRORS[name]
    with pytest.raises(ValueError) as caught:
        call()
    lines = [source, f"  expected: {expected}", f"  received: {given}", f"  fix:      {fix}"]
    assert str(caught.value) == "\n".join(lines)


def test_an_error_inside_another_layer_names_both():
    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Reshape((4, 4), name="inner")

        def call(self, inputs):
            return self.inner(inputs)

    with pytest.raises(ValueError, match="Outer layer 'outer', in Reshape layer 'inner'"):
        Outer(name="outer")(Input((5,)))


def test_arguments_of_keras_that_ask_for_nothing_are_passed_over():
    layer = layers.DepthwiseConv2D(3)
    unused = {"lora_rank": None, "quantization_config": None}
    again = type(layer).from_config({**layer.get_config(), **unused})
    assert again.get_config() == layer.get_config()
    with pytest.raises(TypeError, match="received: lora_rank="):
        type(layer).from_config({**layer.get_config(), "lora_rank": 4})
