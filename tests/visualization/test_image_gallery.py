"""plot_image_gallery."""

import sys

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.visualization import image_gallery, plot_image_gallery

IMAGES = np.zeros((5, 20, 30, 3))
NAMES = {0: "cat", 1: "dog"}


@pytest.fixture
def pyplot():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    yield pyplot
    pyplot.close("all")


def plot(pyplot, images=IMAGES, **options):
    """The figure of a gallery that is neither saved nor displayed."""
    assert plot_image_gallery(images, show=False, **options) is None
    return pyplot.gcf()


def shown(figure):
    return [axis.images[0].get_array() for axis in figure.axes if axis.images]


@pytest.mark.parametrize(
    ("rows", "cols", "grid"),
    [(None, None, (3, 2)), (2, None, (2, 3)), (None, 4, (2, 4)), (1, 2, (1, 2)), (4, 2, (4, 2))],
)
def test_the_grid_holds_all_images_unless_it_is_given(pyplot, rows, cols, grid):
    figure = plot(pyplot, rows=rows, cols=cols)
    assert figure.axes[0].get_gridspec().get_geometry() == grid
    assert len(shown(figure)) == min(5, grid[0] * grid[1])


@pytest.mark.parametrize(
    ("value_range", "values"), [((0, 255), [0, 255]), ((0, 1), [0, 1]), ((-1, 1), [-1, 1])]
)
def test_the_value_range_becomes_black_and_white(pyplot, value_range, values):
    images = np.array(values, float).reshape(1, 1, 2, 1) * np.ones((1, 1, 1, 3))
    array = shown(plot(pyplot, images, value_range=value_range))[0]
    assert array[0].tolist() == [[0] * 3, [255] * 3]


def test_images_have_any_layout(pyplot):
    first = plot(pyplot, IMAGES.transpose(0, 3, 1, 2), data_format="channels_first")
    assert shown(first)[0].shape == (20, 30, 3)
    assert shown(plot(pyplot, keras.ops.zeros((1, 20, 30, 1))))[0].shape == (20, 30)


def test_titles_are_the_names_of_the_classes(pyplot):
    figure = plot(pyplot, y_true=[0, 1], y_pred=np.array([0, 0]), label_map=NAMES)
    titles = [axis.title for axis in figure.axes]
    assert [t.get_text() for t in titles[:3]] == [
        "Label: cat\nPred: cat",
        "Label: dog\nPred: cat",
        "",
    ]
    assert titles[0].get_color() != titles[1].get_color()
    figure = plot(pyplot, y_pred=[3], label_map=NAMES)
    assert figure.axes[0].title.get_text() == "Pred: Unknown"


def test_the_size_of_the_figure_follows_the_scale(pyplot):
    assert plot(pyplot, scale=3, rows=1).get_size_inches().tolist() == [15, 2]


def test_a_figure_is_displayed_and_closed(pyplot, monkeypatch):
    calls = []
    monkeypatch.setattr(pyplot, "show", lambda: calls.append(pyplot.get_fignums()))
    before = pyplot.get_fignums()
    plot_image_gallery(IMAGES)
    assert len(calls[0]) == len(before) + 1 and pyplot.get_fignums() == before


@pytest.mark.parametrize("transparent", [True, False])
def test_a_figure_is_saved(tmp_path, transparent):
    patches = pytest.importorskip("matplotlib.patches")
    handles = [patches.Patch(color="red", label="red")]
    options = {"rows": 1, "transparent": transparent, "legend_handles": handles}
    for name, dpi in (("small", 30), ("large", 60)):
        plot_image_gallery(IMAGES, path=tmp_path / f"{name}.png", dpi=dpi, **options)
    paths = (tmp_path / f"{name}.png" for name in ("small", "large"))
    small, large = (keras.utils.img_to_array(keras.utils.load_img(p, "rgba")) for p in paths)
    assert 1.8 < large.shape[1] / small.shape[1] < 2.2
    assert bool(large[-1, 0, 3] == 0) is transparent


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"images": IMAGES[0]}, "batch axis"),
        ({"y_true": [0]}, "label_map"),
        ({"y_true": [[0, 1], [1, 0]], "label_map": NAMES}, "argmax"),
        ({"path": "gallery.png", "show": True}, "path or show"),
        ({"rows": 0}, "rows"),
        ({"value_range": (1, 0)}, "value_range"),
    ],
)
def test_an_invalid_argument_is_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        plot_image_gallery(**{"images": IMAGES, **arguments})


def test_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert image_gallery._pyplot._name == "matplotlib.pyplot"
    with pytest.raises(ImportError, match="pip install"):
        plot_image_gallery(IMAGES)


def test_the_namespace_has_five_names():
    assert dir(keras.visualization) == [
        "draw_bounding_boxes",
        "draw_segmentation_masks",
        "plot_bounding_box_gallery",
        "plot_image_gallery",
        "plot_segmentation_mask_gallery",
    ]
