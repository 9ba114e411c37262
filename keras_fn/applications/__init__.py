"""Floor 7: known architectures, with weights that others have trained."""

from keras_fn.applications.vgg import VGG16 as VGG16, VGG19 as VGG19
