"""The generator of the process may be made while an op is compiled: it must not belong to it."""

import subprocess
import sys

PROGRAM = """
import keras_fn as keras
from keras_fn import ops

x = ops.ones((4, 4))
keras.random.dropout(x, 0.5)
keras.layers.Dropout(0.5)(x, training=True)
print(keras.random.uniform((2,)).shape[0], keras.random.shuffle(x).shape[0])
"""


def test_a_first_draw_inside_an_op_leaves_the_generator_whole():
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["2", "4"], run.stderr
