"""The public names of `keras.models`."""

from keras_fn.models.cloning import clone_model as clone_model
from keras_fn.models.functional import Functional as Functional
from keras_fn.models.model import Model as Model, model_from_json as model_from_json
from keras_fn.models.sequential import Sequential as Sequential
from keras_fn.saving.saving_api import load_model as load_model, save_model as save_model
