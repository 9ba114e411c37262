"""The public names of `keras.visualization`."""

from keras_fn.visualization.bounding_boxes import (
    draw_bounding_boxes as draw_bounding_boxes,
    plot_bounding_box_gallery as plot_bounding_box_gallery,
)
from keras_fn.visualization.image_gallery import plot_image_gallery as plot_image_gallery
from keras_fn.visualization.segmentation_masks import (
    draw_segmentation_masks as draw_segmentation_masks,
    plot_segmentation_mask_gallery as plot_segmentation_mask_gallery,
)
