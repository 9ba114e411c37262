"""The Functional API guide of Keras 3, in English."""

import pytest
from programs import FOLDER
from programs.guide import check_guide


def test_every_program_of_the_guide_runs_and_prints_what_the_guide_shows(workplace, vgg19_weights):
    check_guide("guide_english", (FOLDER / "guide_english.txt").read_text("utf-8"), workplace)


@pytest.mark.usefixtures("workplace")
def test_the_guide_is_complete():
    from programs import cells

    assert len(cells("guide_english")) == 37
