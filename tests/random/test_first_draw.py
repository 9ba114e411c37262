"""The global generator may be created while an op is compiled: it must not be part of the trace."""

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


def test_a_first_draw_inside_an_op_does_not_break_the_generator():
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["2", "4"], run.stderr
