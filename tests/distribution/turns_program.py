"""Two processes, and one that takes their parts in turn and adds gradients: bit by bit the same.

Started by `keras_fn.launch -n 2`. Nothing but the sum is then different in several processes. Cases
with sums over the batch in the forward pass are left out. An `AssertionError` ends the program.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))
from distribution_cases import CASES, Case, data

import keras_fn as keras
from keras_fn import distribution, ops
from keras_fn.backend.loader import current
from keras_fn.core.replicas import ReplicaScope
from keras_fn.distribution.processes import processes
from keras_fn.distribution.replica_steps import split_rows

NAMES = ("sgd", "adam", "uneven", "weights", "l2", "dropout", "clip", "accumulate", "ema")


class InTurns(keras.Model):
    """A model that computes with the rows of one process after the other."""

    def train_step(self, data: Any) -> Any:
        (x,), y, weights = keras.utils.unpack_x_y_sample_weight(data)
        variables, state = self.trainable_variables, self.non_trainable_variables
        before, total = [ops.copy(v) for v in state], ops.shape(x)[0]
        sums: Any = None
        for process in range(processes.count):
            for v, value in zip(state, before, strict=True):  # all have the same random seeds
                v.assign(value)
            replica = split_rows(total, process, processes.count)
            rows = slice(replica.start, replica.start + replica.rows)
            own = None if weights is None else weights[rows]

            def loss_of(rows: slice, own: Any, replica: Any) -> Any:
                y_pred = self([x[rows]], training=True)
                loss = self.compute_loss(y=y[rows], y_pred=y_pred, sample_weight=own)
                return replica.weigh(self.optimizer.scale_loss(loss)), None

            with ReplicaScope(replica):
                run = current().value_and_grad(loss_of, variables)
                _, grads = run(rows, own, replica)
            sums = grads if sums is None else [a + b for a, b in zip(sums, grads, strict=True)]
        self.optimizer.apply(sums, variables)
        return {"loss": 0.0}


def train(case: Case, in_turns: bool) -> list[np.ndarray]:
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(11)
    model = case.model()
    if in_turns:
        model = InTurns(model.inputs, model.outputs)
    model.compile(case.optimizer(), "sparse_categorical_crossentropy")
    x, y, weights = data(case, model)
    model.fit(x, y, 32, epochs=2, verbose=0, sample_weight=weights)
    return model.get_weights()


def main() -> None:
    distribution.initialize(timeout=60)
    for name in NAMES:
        case = CASES[name]
        expected = train(case, True) if processes.index == 0 else None
        with distribution.DataParallel().scope():
            found = train(case, False)
        for a, b in zip(expected or found, found, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)


main()
