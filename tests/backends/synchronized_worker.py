"""One of two replicas that average: prints the moments and a gradient."""

import json
import sys

import numpy as np

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current

X = np.array([[[1.0, 2.0], [3.0, 5.0]], [[7.0, 0.0], [9.0, -4.0]]], "float32")  # by replica
UNEQUAL = [X.reshape(4, 2)[:3], X.reshape(4, 2)[3:]]  # the replicas have three samples, and one
MASK = np.array([[[True, True]], [[False, True]]])


def moments(x):
    """Mean and variance over both replicas, and the gradient of a function of them."""
    variable = keras.Variable(x)

    def function():
        mean, variance = ops.moments(variable.value, [0], synchronized=True)
        return ops.sum(mean * 2.0 + variance), (mean, variance)

    (_, (mean, variance)), (grad,) = current().value_and_grad(function, [variable])()
    return [ops.convert_to_numpy(t).tolist() for t in (mean, variance, grad)]


def normalized(x, mask=None):
    """The outputs and moving statistics of batch normalization over both replicas."""
    layer = keras.layers.BatchNormalization(momentum=0.5, synchronized=True)
    y = layer(ops.convert_to_tensor(x), mask=mask, training=True)
    return [
        ops.convert_to_numpy(t).tolist()
        for t in (ops.stop_gradient(y), layer.moving_mean, layer.moving_variance)
    ]


def torch_replica(rank, store):
    import torch.distributed as dist

    rank = int(rank)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    print(json.dumps(moments(X[rank])))
    print(json.dumps(normalized(UNEQUAL[rank])), flush=True)
    mask = ops.convert_to_tensor(MASK[rank])
    print(json.dumps(normalized(X[rank][None], mask)), flush=True)


def tensorflow_replicas():
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    inputs = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(X[context.replica_id_in_sync_group])
    )

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            mean, variance = ops.moments(x, [0], synchronized=True)
            total = tf.reduce_sum(mean * 2.0 + variance)
        return mean, variance, tape.gradient(total, x)

    results = [strategy.experimental_local_results(v) for v in strategy.run(run, [inputs])]
    for replica in zip(*results, strict=True):
        print(json.dumps([v.numpy().tolist() for v in replica]))


if __name__ == "__main__":
    torch_replica(*sys.argv[1:]) if len(sys.argv) > 1 else tensorflow_replicas()
