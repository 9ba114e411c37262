"""The public names of `keras.utils`."""

from keras_fn.callbacks.progress_display import Progbar as Progbar
from keras_fn.config import (
    disable_interactive_logging as disable_interactive_logging,
    enable_interactive_logging as enable_interactive_logging,
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)
from keras_fn.core.dtypes import standardize_dtype as standardize_dtype
from keras_fn.core.keras_tensor import is_keras_tensor as is_keras_tensor
from keras_fn.core.registry import (
    CustomObjectScope as CustomObjectScope,
    custom_object_scope as custom_object_scope,
    get_custom_objects as get_custom_objects,
    get_registered_name as get_registered_name,
    get_registered_object as get_registered_object,
    register_keras_serializable as register_keras_serializable,
)
from keras_fn.core.serialization import (
    deserialize_keras_object as deserialize_keras_object,
    serialize_keras_object as serialize_keras_object,
)
from keras_fn.data_adapters.data_adapter_utils import (
    pack_x_y_sample_weight as pack_x_y_sample_weight,
    unpack_x_y_sample_weight as unpack_x_y_sample_weight,
)
from keras_fn.data_adapters.dataset import Dataset as Dataset
from keras_fn.data_adapters.py_dataset import PyDataset as PyDataset, Sequence as Sequence
from keras_fn.models.feature_space import FeatureSpace as FeatureSpace
from keras_fn.random.seed_generator import set_random_seed as set_random_seed
from keras_fn.utils import bounding_boxes as bounding_boxes, legacy as legacy
from keras_fn.utils.audio_dataset_utils import (
    audio_dataset_from_directory as audio_dataset_from_directory,
)
from keras_fn.utils.config import Config as Config
from keras_fn.utils.dataset_utils import split_dataset as split_dataset
from keras_fn.utils.file_utils import get_file as get_file
from keras_fn.utils.image_dataset_utils import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from keras_fn.utils.image_utils import (
    array_to_img as array_to_img,
    img_to_array as img_to_array,
    load_img as load_img,
    save_img as save_img,
)
from keras_fn.utils.model_utils import get_source_inputs as get_source_inputs
from keras_fn.utils.numerical_utils import normalize as normalize, to_categorical as to_categorical
from keras_fn.utils.sequence_utils import pad_sequences as pad_sequences
from keras_fn.utils.session import clear_session as clear_session
from keras_fn.utils.text_dataset_utils import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from keras_fn.utils.timeseries_dataset_utils import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
from keras_fn.visualization.mermaid import model_to_mermaid as model_to_mermaid
from keras_fn.visualization.plot import model_to_dot as model_to_dot, plot_model as plot_model
