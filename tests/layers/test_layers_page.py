"""docs/layers.md lists all layers, each with an example."""

import doctest

import generate_layers_page
import pytest

from keras_fn.layers import Layer

LAYERS = [cls for group in generate_layers_page.list_layers_by_group().values() for cls in group]


def test_the_page_lists_every_layer_by_group():
    assert generate_layers_page.PAGE.read_text("utf-8") == generate_layers_page.render_page(), (
        "docs/layers.md is outdated: run python tests/layers/generate_layers_page.py"
    )


@pytest.mark.parametrize("cls", LAYERS)
def test_every_layer_has_an_example_with_a_result(cls: type[Layer]):
    examples = doctest.DocTestParser().get_examples(cls.__doc__ or "")
    assert any(example.want for example in examples)
