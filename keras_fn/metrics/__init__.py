"""Metrics: what is measured while a model learns, and of what it has learned."""

from keras_fn.losses import binary_crossentropy as binary_crossentropy
from keras_fn.losses import binary_focal_crossentropy as binary_focal_crossentropy
from keras_fn.losses import categorical_crossentropy as categorical_crossentropy
from keras_fn.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from keras_fn.losses import categorical_hinge as categorical_hinge
from keras_fn.losses import hinge as hinge
from keras_fn.losses import huber as huber
from keras_fn.losses import kl_divergence as kl_divergence
from keras_fn.losses import log_cosh as log_cosh
from keras_fn.losses import mean_absolute_error as mean_absolute_error
from keras_fn.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from keras_fn.losses import mean_squared_error as mean_squared_error
from keras_fn.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from keras_fn.losses import poisson as poisson
from keras_fn.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from keras_fn.losses import squared_hinge as squared_hinge
from keras_fn.metrics.accuracy import Accuracy as Accuracy
from keras_fn.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from keras_fn.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from keras_fn.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from keras_fn.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from keras_fn.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from keras_fn.metrics.accuracy import binary_accuracy as binary_accuracy
from keras_fn.metrics.accuracy import categorical_accuracy as categorical_accuracy
from keras_fn.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from keras_fn.metrics.accuracy import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from keras_fn.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from keras_fn.metrics.auc import AUC as AUC
from keras_fn.metrics.confusion import FalseNegatives as FalseNegatives
from keras_fn.metrics.confusion import FalsePositives as FalsePositives
from keras_fn.metrics.confusion import Precision as Precision
from keras_fn.metrics.confusion import Recall as Recall
from keras_fn.metrics.confusion import TrueNegatives as TrueNegatives
from keras_fn.metrics.confusion import TruePositives as TruePositives
from keras_fn.metrics.correlation import ConcordanceCorrelation as ConcordanceCorrelation
from keras_fn.metrics.correlation import PearsonCorrelation as PearsonCorrelation
from keras_fn.metrics.correlation import concordance_correlation as concordance_correlation
from keras_fn.metrics.correlation import pearson_correlation as pearson_correlation
from keras_fn.metrics.f_score import F1Score as F1Score
from keras_fn.metrics.f_score import FBetaScore as FBetaScore
from keras_fn.metrics.iou import BinaryIoU as BinaryIoU
from keras_fn.metrics.iou import IoU as IoU
from keras_fn.metrics.iou import MeanIoU as MeanIoU
from keras_fn.metrics.iou import OneHotIoU as OneHotIoU
from keras_fn.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from keras_fn.metrics.lookup import deserialize as deserialize
from keras_fn.metrics.lookup import get as get
from keras_fn.metrics.lookup import serialize as serialize
from keras_fn.metrics.metric import Metric as Metric
from keras_fn.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from keras_fn.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from keras_fn.metrics.probabilistic import CategoricalHinge as CategoricalHinge
from keras_fn.metrics.probabilistic import Hinge as Hinge
from keras_fn.metrics.probabilistic import KLDivergence as KLDivergence
from keras_fn.metrics.probabilistic import Poisson as Poisson
from keras_fn.metrics.probabilistic import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from keras_fn.metrics.probabilistic import SquaredHinge as SquaredHinge
from keras_fn.metrics.reduction import Mean as Mean
from keras_fn.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from keras_fn.metrics.reduction import Sum as Sum
from keras_fn.metrics.regression import CosineSimilarity as CosineSimilarity
from keras_fn.metrics.regression import LogCoshError as LogCoshError
from keras_fn.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from keras_fn.metrics.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from keras_fn.metrics.regression import MeanSquaredError as MeanSquaredError
from keras_fn.metrics.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from keras_fn.metrics.regression import R2Score as R2Score
from keras_fn.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
from keras_fn.metrics.share_at import PrecisionAtRecall as PrecisionAtRecall
from keras_fn.metrics.share_at import RecallAtPrecision as RecallAtPrecision
from keras_fn.metrics.share_at import SensitivityAtSpecificity as SensitivityAtSpecificity
from keras_fn.metrics.share_at import SpecificityAtSensitivity as SpecificityAtSensitivity
