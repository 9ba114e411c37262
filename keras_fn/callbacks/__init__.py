"""Callbacks: the public namespace `keras.callbacks`."""

from keras_fn.training.callbacks import BackupAndRestore as BackupAndRestore
from keras_fn.training.callbacks import Callback as Callback
from keras_fn.training.callbacks import CallbackList as CallbackList
from keras_fn.training.callbacks import CSVLogger as CSVLogger
from keras_fn.training.callbacks import EarlyStopping as EarlyStopping
from keras_fn.training.callbacks import History as History
from keras_fn.training.callbacks import LambdaCallback as LambdaCallback
from keras_fn.training.callbacks import LearningRateScheduler as LearningRateScheduler
from keras_fn.training.callbacks import ModelCheckpoint as ModelCheckpoint
from keras_fn.training.callbacks import OrbaxCheckpoint as OrbaxCheckpoint
from keras_fn.training.callbacks import ProgbarLogger as ProgbarLogger
from keras_fn.training.callbacks import ReduceLROnPlateau as ReduceLROnPlateau
from keras_fn.training.callbacks import RemoteMonitor as RemoteMonitor
from keras_fn.training.callbacks import SwapEMAWeights as SwapEMAWeights
from keras_fn.training.callbacks import TensorBoard as TensorBoard
from keras_fn.training.callbacks import TerminateOnNaN as TerminateOnNaN
