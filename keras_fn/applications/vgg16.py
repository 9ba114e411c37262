"""VGG16: the public namespace `keras.applications.vgg16`."""

from keras_fn.applications._architecture import define_application, describe
from keras_fn.applications._vgg import PAPER, vgg
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_ARCHITECTURE = vgg((2, 2, 3, 3, 3))

VGG16 = define_application(
    _ARCHITECTURE,
    "vgg16",
    describe(
        _ARCHITECTURE,
        "stacks of 3x3 convolutions, with 16 weight layers",
        module="vgg16",
        mode="caffe",
        paper=PAPER,
        count=14_714_688,
    ),
    __name__,
)
preprocess_input = define_preprocess_input("caffe", __name__)


def __dir__() -> list[str]:
    return __all__
