"""Image ops, as `keras_fn.ops.image`: for single images (rank 3) and batches (rank 4)."""

from keras_fn.ops.image.color import (
    hsv_to_rgb as hsv_to_rgb,
    rgb_to_grayscale as rgb_to_grayscale,
    rgb_to_hsv as rgb_to_hsv,
)
from keras_fn.ops.image.cropping import crop_images as crop_images, pad_images as pad_images
from keras_fn.ops.image.filters import (
    gaussian_blur as gaussian_blur,
    sobel_edges as sobel_edges,
    ssim as ssim,
)
from keras_fn.ops.image.geometric_transforms import (
    affine_transform as affine_transform,
    elastic_transform as elastic_transform,
    map_coordinates as map_coordinates,
    perspective_transform as perspective_transform,
)
from keras_fn.ops.image.patches import (
    extract_patches as extract_patches,
    extract_patches_3d as extract_patches_3d,
)
from keras_fn.ops.image.resizing import resize as resize, scale_and_translate as scale_and_translate
