"""The public names of `keras.distillation`."""

from keras_fn.distillation.distillation_loss import DistillationLoss as DistillationLoss
from keras_fn.distillation.distiller import Distiller as Distiller
from keras_fn.distillation.feature_distillation import FeatureDistillation as FeatureDistillation
from keras_fn.distillation.logits_distillation import LogitsDistillation as LogitsDistillation
