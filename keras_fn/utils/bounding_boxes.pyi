"""The public names of `keras.utils.bounding_boxes`."""

from keras_fn.ops.image.bounding_box_overlap import (
    compute_ciou as compute_ciou,
    compute_iou as compute_iou,
)
from keras_fn.ops.image.bounding_boxes import (
    affine_transform as affine_transform,
    clip_to_image_size as clip_to_image_size,
    convert_format as convert_format,
    crop as crop,
    decode_deltas_to_boxes as decode_deltas_to_boxes,
    encode_box_to_deltas as encode_box_to_deltas,
    pad as pad,
)
