"""Losses: what training makes small."""

from keras_fn.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from keras_fn.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from keras_fn.losses.crossentropy import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from keras_fn.losses.crossentropy import binary_crossentropy as binary_crossentropy
from keras_fn.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from keras_fn.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from keras_fn.losses.ctc import CTC as CTC
from keras_fn.losses.ctc import ctc as ctc
from keras_fn.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from keras_fn.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from keras_fn.losses.focal import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from keras_fn.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from keras_fn.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from keras_fn.losses.focal import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from keras_fn.losses.hinge import CategoricalHinge as CategoricalHinge
from keras_fn.losses.hinge import Hinge as Hinge
from keras_fn.losses.hinge import SquaredHinge as SquaredHinge
from keras_fn.losses.hinge import categorical_hinge as categorical_hinge
from keras_fn.losses.hinge import hinge as hinge
from keras_fn.losses.hinge import squared_hinge as squared_hinge
from keras_fn.losses.lookup import deserialize as deserialize
from keras_fn.losses.lookup import get as get
from keras_fn.losses.lookup import serialize as serialize
from keras_fn.losses.loss import Loss as Loss
from keras_fn.losses.metric_learning import Circle as Circle
from keras_fn.losses.metric_learning import circle as circle
from keras_fn.losses.probabilistic import KLDivergence as KLDivergence
from keras_fn.losses.probabilistic import Poisson as Poisson
from keras_fn.losses.probabilistic import kl_divergence as kl_divergence
from keras_fn.losses.probabilistic import poisson as poisson
from keras_fn.losses.regression import CosineSimilarity as CosineSimilarity
from keras_fn.losses.regression import Huber as Huber
from keras_fn.losses.regression import LogCosh as LogCosh
from keras_fn.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from keras_fn.losses.regression import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from keras_fn.losses.regression import MeanSquaredError as MeanSquaredError
from keras_fn.losses.regression import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from keras_fn.losses.regression import cosine_similarity as cosine_similarity
from keras_fn.losses.regression import huber as huber
from keras_fn.losses.regression import log_cosh as log_cosh
from keras_fn.losses.regression import mean_absolute_error as mean_absolute_error
from keras_fn.losses.regression import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from keras_fn.losses.regression import mean_squared_error as mean_squared_error
from keras_fn.losses.regression import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from keras_fn.losses.segmentation import Dice as Dice
from keras_fn.losses.segmentation import Tversky as Tversky
from keras_fn.losses.segmentation import dice as dice
from keras_fn.losses.segmentation import tversky as tversky
