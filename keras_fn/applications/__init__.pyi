"""The public names of `keras.applications`, for `_lazy.attach_stub` and type checkers."""

from keras_fn.applications import (
    imagenet_utils as imagenet_utils,
    resnet as resnet,
    resnet50 as resnet50,
    resnet_v2 as resnet_v2,
    vgg16 as vgg16,
    vgg19 as vgg19,
)
from keras_fn.applications.resnet import (
    ResNet50 as ResNet50,
    ResNet101 as ResNet101,
    ResNet152 as ResNet152,
)
from keras_fn.applications.resnet_v2 import (
    ResNet50V2 as ResNet50V2,
    ResNet101V2 as ResNet101V2,
    ResNet152V2 as ResNet152V2,
)
from keras_fn.applications.vgg16 import VGG16 as VGG16
from keras_fn.applications.vgg19 import VGG19 as VGG19
