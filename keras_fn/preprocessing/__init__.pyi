"""The public names of `keras.preprocessing`."""

from keras_fn.preprocessing import image as image, sequence as sequence
from keras_fn.utils.image_dataset_utils import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from keras_fn.utils.text_dataset_utils import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from keras_fn.utils.timeseries_dataset_utils import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
