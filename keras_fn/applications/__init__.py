"""Model architectures with pretrained weights: the public namespace `keras.applications`."""

from keras_fn.applications.vgg import VGG16 as VGG16, VGG19 as VGG19
