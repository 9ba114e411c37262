"""Callbacks: the public namespace `keras.callbacks`."""

from keras_fn.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from keras_fn.callbacks.callback import Callback as Callback
from keras_fn.callbacks.callback_list import CallbackList as CallbackList
from keras_fn.callbacks.csv_logger import CSVLogger as CSVLogger
from keras_fn.callbacks.early_stopping import EarlyStopping as EarlyStopping
from keras_fn.callbacks.history import History as History
from keras_fn.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from keras_fn.callbacks.learning_rate_scheduler import (
    LearningRateScheduler as LearningRateScheduler,
)
from keras_fn.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from keras_fn.callbacks.orbax_checkpoint import OrbaxCheckpoint as OrbaxCheckpoint
from keras_fn.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
from keras_fn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from keras_fn.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
from keras_fn.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from keras_fn.callbacks.tensorboard import TensorBoard as TensorBoard
from keras_fn.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
