"""The Functional API guide of Keras 3, in Korean: the programs of the English one."""

import pytest
from programs import FOLDER
from programs.guide import check_guide


@pytest.mark.thorough  # at every push, the English guide runs the same programs
def test_every_program_of_the_guide_runs_and_prints_what_the_guide_shows(workplace, vgg19_weights):
    check_guide("guide_korean", (FOLDER / "guide_korean.txt").read_text("utf-8"), workplace)
