"""VGG19: the public namespace `keras.applications.vgg19`."""

from keras_fn.applications._architecture import define_application, describe
from keras_fn.applications._vgg import PAPER, vgg
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_ARCHITECTURE = vgg((2, 2, 4, 4, 4))

VGG19 = define_application(
    _ARCHITECTURE,
    "vgg19",
    describe(
        _ARCHITECTURE,
        "stacks of 3x3 convolutions, with 19 weight layers",
        module="vgg19",
        mode="caffe",
        paper=PAPER,
        count=20_024_384,
    ),
    __name__,
)
preprocess_input = define_preprocess_input("caffe", __name__)


def __dir__() -> list[str]:
    return __all__
