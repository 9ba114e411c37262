"""The generator of the process may be made while something is compiled: it must not belong to it."""

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
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert run.stdout.split() == ["2", "4"], run.stderr
