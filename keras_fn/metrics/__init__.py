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
from keras_fn.metrics.accuracy_metrics import Accuracy as Accuracy
from keras_fn.metrics.accuracy_metrics import BinaryAccuracy as BinaryAccuracy
from keras_fn.metrics.accuracy_metrics import CategoricalAccuracy as CategoricalAccuracy
from keras_fn.metrics.accuracy_metrics import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from keras_fn.metrics.accuracy_metrics import (
    SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy,
)
from keras_fn.metrics.accuracy_metrics import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from keras_fn.metrics.accuracy_metrics import binary_accuracy as binary_accuracy
from keras_fn.metrics.accuracy_metrics import categorical_accuracy as categorical_accuracy
from keras_fn.metrics.accuracy_metrics import (
    sparse_categorical_accuracy as sparse_categorical_accuracy,
)
from keras_fn.metrics.accuracy_metrics import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from keras_fn.metrics.accuracy_metrics import (
    top_k_categorical_accuracy as top_k_categorical_accuracy,
)
from keras_fn.metrics.auc import AUC as AUC
from keras_fn.metrics.confusion_metrics import FalseNegatives as FalseNegatives
from keras_fn.metrics.confusion_metrics import FalsePositives as FalsePositives
from keras_fn.metrics.confusion_metrics import Precision as Precision
from keras_fn.metrics.confusion_metrics import Recall as Recall
from keras_fn.metrics.confusion_metrics import TrueNegatives as TrueNegatives
from keras_fn.metrics.confusion_metrics import TruePositives as TruePositives
from keras_fn.metrics.correlation_metrics import ConcordanceCorrelation as ConcordanceCorrelation
from keras_fn.metrics.correlation_metrics import PearsonCorrelation as PearsonCorrelation
from keras_fn.metrics.correlation_metrics import concordance_correlation as concordance_correlation
from keras_fn.metrics.correlation_metrics import pearson_correlation as pearson_correlation
from keras_fn.metrics.f_score_metrics import F1Score as F1Score
from keras_fn.metrics.f_score_metrics import FBetaScore as FBetaScore
from keras_fn.metrics.hinge_metrics import CategoricalHinge as CategoricalHinge
from keras_fn.metrics.hinge_metrics import Hinge as Hinge
from keras_fn.metrics.hinge_metrics import SquaredHinge as SquaredHinge
from keras_fn.metrics.iou_metrics import BinaryIoU as BinaryIoU
from keras_fn.metrics.iou_metrics import IoU as IoU
from keras_fn.metrics.iou_metrics import MeanIoU as MeanIoU
from keras_fn.metrics.iou_metrics import OneHotIoU as OneHotIoU
from keras_fn.metrics.iou_metrics import OneHotMeanIoU as OneHotMeanIoU
from keras_fn.metrics.lookup import deserialize as deserialize
from keras_fn.metrics.lookup import get as get
from keras_fn.metrics.lookup import serialize as serialize
from keras_fn.metrics.metric import Metric as Metric
from keras_fn.metrics.probabilistic_metrics import BinaryCrossentropy as BinaryCrossentropy
from keras_fn.metrics.probabilistic_metrics import (
    CategoricalCrossentropy as CategoricalCrossentropy,
)
from keras_fn.metrics.probabilistic_metrics import KLDivergence as KLDivergence
from keras_fn.metrics.probabilistic_metrics import Poisson as Poisson
from keras_fn.metrics.probabilistic_metrics import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from keras_fn.metrics.reduction_metrics import Mean as Mean
from keras_fn.metrics.reduction_metrics import MeanMetricWrapper as MeanMetricWrapper
from keras_fn.metrics.reduction_metrics import Sum as Sum
from keras_fn.metrics.regression_metrics import CosineSimilarity as CosineSimilarity
from keras_fn.metrics.regression_metrics import LogCoshError as LogCoshError
from keras_fn.metrics.regression_metrics import MeanAbsoluteError as MeanAbsoluteError
from keras_fn.metrics.regression_metrics import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from keras_fn.metrics.regression_metrics import MeanSquaredError as MeanSquaredError
from keras_fn.metrics.regression_metrics import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from keras_fn.metrics.regression_metrics import R2Score as R2Score
from keras_fn.metrics.regression_metrics import RootMeanSquaredError as RootMeanSquaredError
from keras_fn.metrics.sensitivity_specificity import PrecisionAtRecall as PrecisionAtRecall
from keras_fn.metrics.sensitivity_specificity import RecallAtPrecision as RecallAtPrecision
from keras_fn.metrics.sensitivity_specificity import (
    SensitivityAtSpecificity as SensitivityAtSpecificity,
)
from keras_fn.metrics.sensitivity_specificity import (
    SpecificityAtSensitivity as SpecificityAtSensitivity,
)
