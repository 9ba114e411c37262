"""SwapEMAWeights, RemoteMonitor and OrbaxCheckpoint, compared with Keras."""

import json
import sys
import threading
import urllib.parse
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.callbacks import orbax_checkpoint as orbax_module

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model_of(optimizer="sgd"):
    x = keras.Input((3,))
    y = keras.layers.Dense(4, activation="tanh", name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(1, name="out")(y))
    model.compile(optimizer, "mse")
    return model


def fit(model, *callbacks, **options):
    return model.fit(X, Y, batch_size=8, verbose=0, callbacks=list(callbacks), **options).history


# -------------------------------------------------------------------- averages


def averaging(**options):
    return keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, **options)


def kernel(model):
    return model.get_layer("out").kernel.numpy()


def averages(model):
    """The averages by hand would be these: the optimizer's own, of the kernel of `out`."""
    index = [v.path for v in model.trainable_variables].index("out/kernel")
    return model.optimizer._moving_averages[index].numpy()


def test_validation_uses_the_averages_and_training_does_not():
    keras.utils.set_random_seed(1)
    plain = model_of(averaging())
    start = plain.get_weights()
    seen, after = [], []
    plain_after = []
    fit(plain, keras.callbacks.LambdaCallback(
        on_epoch_end=lambda e, logs: plain_after.append(kernel(plain))), epochs=3,
        shuffle=False)  # fmt: skip
    model = model_of(averaging())
    model.set_weights(start)
    note = keras.callbacks.LambdaCallback(
        on_test_begin=lambda logs: seen.append((kernel(model), averages(model))),
        on_epoch_end=lambda e, logs: after.append(kernel(model)),
    )
    fit(model, keras.callbacks.SwapEMAWeights(), note, epochs=3, validation_data=(X, Y),
        shuffle=False)  # fmt: skip
    for in_model, average in seen:
        np.testing.assert_array_equal(in_model, average)
    for swapped, never in zip(after, plain_after, strict=True):
        np.testing.assert_allclose(swapped, never, rtol=1e-6)
    assert not np.allclose(seen[0][0], after[0])
    np.testing.assert_array_equal(kernel(model), averages(model))  # the end of fit


def test_swap_on_epoch_lets_later_callbacks_save_the_averages():
    keras.utils.set_random_seed(1)
    plain = model_of(averaging())
    start = plain.get_weights()
    fit(plain, epochs=3, shuffle=False)
    model = model_of(averaging())
    model.set_weights(start)
    saved = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda e, logs: saved.append((kernel(model), averages(model)))
    )
    fit(model, keras.callbacks.SwapEMAWeights(swap_on_epoch=True), note, epochs=3, shuffle=False)
    assert all(np.array_equal(a, b) for a, b in saved)
    # Training was not disturbed: it ends with the same averages, in the model, too.
    np.testing.assert_allclose(averages(model), averages(plain), rtol=1e-6)
    np.testing.assert_array_equal(kernel(model), averages(model))


def test_evaluate_and_predict_use_the_averages_and_restore_the_weights():
    model = model_of(averaging())
    fit(model)
    model.get_layer("out").kernel.assign(np.full((4, 1), 3.0))
    swap = keras.callbacks.SwapEMAWeights()
    with_averages = model.predict(X, verbose=0, callbacks=[swap])
    np.testing.assert_array_equal(kernel(model), np.full((4, 1), 3.0, "float32"))
    assert not np.allclose(with_averages, model.predict(X, verbose=0))
    loss = model.evaluate(X, Y, verbose=0, callbacks=[swap])
    assert loss == pytest.approx(np.mean((with_averages - Y) ** 2), rel=1e-5)
    np.testing.assert_array_equal(kernel(model), np.full((4, 1), 3.0, "float32"))


def test_averages_inside_a_loss_scale_optimizer_are_found():
    model = model_of(keras.optimizers.LossScaleOptimizer(averaging(), 2.0))
    seen = []
    note = keras.callbacks.LambdaCallback(on_test_begin=lambda logs: seen.append(kernel(model)))
    fit(model, keras.callbacks.SwapEMAWeights(), note, validation_data=(X, Y))
    inner = model.optimizer.inner_optimizer
    index = [v.path for v in model.trainable_variables].index("out/kernel")
    np.testing.assert_array_equal(seen[0], inner._moving_averages[index].numpy())


def test_training_continues_after_the_weights_were_set_to_their_averages():
    model = model_of(averaging())
    fit(model)
    fit(model)  # variables and averages must not share what a step gives away
    np.testing.assert_array_equal(kernel(model), averages(model))


def test_a_step_does_not_use_a_value_assigned_in_between():
    model = model_of()
    value = ops.convert_to_tensor(np.full((4, 1), 2.0, "float32"))
    model.get_layer("out").kernel.assign(value)
    fit(model)
    assert ops.convert_to_numpy(value).tolist() == [[2.0]] * 4
    assert not np.array_equal(kernel(model), ops.convert_to_numpy(value))


def test_an_optimizer_without_averages_raises():
    with pytest.raises(ValueError, match="use_ema=True"):
        fit(model_of(), keras.callbacks.SwapEMAWeights())


# -------------------------------------------------------------------- a server


class Server:
    """A server on this machine that keeps the requests, and answers with `status`."""

    def __init__(self, status=200):
        self.requests = requests = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                requests.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def test_logs_are_sent_as_json():
    with Server() as server:
        callback = keras.callbacks.RemoteMonitor(
            server.root, "/logs", headers={"X-Run": "7"}, send_as_json=True
        )
        history = fit(model_of(), callback, epochs=2)
    (path, headers, first), (_, _, second) = server.requests
    assert path == "/logs"
    assert headers["Content-Type"] == "application/json" and headers["X-Run"] == "7"
    assert [json.loads(first), json.loads(second)] == [
        {"epoch": epoch, "loss": loss} for epoch, loss in enumerate(history["loss"])
    ]


def test_logs_are_sent_as_a_form_field():
    with Server() as server:
        callback = keras.callbacks.RemoteMonitor(server.root, field="it")
        callback.on_epoch_end(3, {"loss": np.float32(0.5), "each": np.arange(2)})
    ((path, headers, body),) = server.requests
    assert path == "/publish/epoch/end/"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    (sent,) = urllib.parse.parse_qs(body)["it"]
    assert json.loads(sent) == {"epoch": 3, "loss": 0.5, "each": [0, 1]}


@pytest.mark.parametrize("status", [None, 500])
def test_an_unreachable_server_warns_once(status):
    with Server(status or 200) as server:
        root = server.root
        if status is not None:
            callback = keras.callbacks.RemoteMonitor(root)
            with pytest.warns(UserWarning, match="HTTP Error 500"):
                callback.on_epoch_end(0, {})
    callback = keras.callbacks.RemoteMonitor(root)
    with pytest.warns(UserWarning, match=rf"{root}.* does not accept the logs") as caught:
        history = fit(model_of(), callback, epochs=3)
    assert len(caught) == 1 and len(history["loss"]) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        callback.on_epoch_end(4, {})


def test_other_url_schemes_raise():
    with pytest.raises(ValueError, match="http://"):
        keras.callbacks.RemoteMonitor("file:///etc")


# -------------------------------------------------------------------- Orbax


class StandIn:
    """What the callback asks of Orbax, in memory."""

    class args:
        StandardSave = staticmethod(lambda tree: tree)
        StandardRestore = staticmethod(lambda: None)

    def __init__(self):
        self.folders, self.options, self.open = {}, [], 0

    def CheckpointManagerOptions(self, **options):
        self.options.append(options)
        return options

    def CheckpointManager(self, folder, options):
        world, steps = self, self.folders.setdefault(folder, {})
        self.open += 1

        class Manager:
            def latest_step(self):
                return max(steps, default=None)

            def all_steps(self):
                return list(steps)

            def save(self, step, args, force):
                assert step not in steps and force
                steps[step] = {k: np.array(v) for k, v in args.items()}
                while options["max_to_keep"] and len(steps) > options["max_to_keep"]:
                    del steps[min(steps)]

            def restore(self, step, args):
                return steps[step]

            def wait_until_finished(self):
                pass

            def close(self):
                world.open -= 1

        return Manager()


@pytest.fixture(params=["stand-in", "orbax"])
def orbax(request, monkeypatch):
    if request.param == "orbax":
        yield pytest.importorskip("orbax.checkpoint")
        return
    world = StandIn()
    monkeypatch.setattr(orbax_module, "_orbax", world)
    yield world
    assert world.open == 0


def test_a_checkpoint_restores_weights_and_optimizer(orbax, tmp_path):
    model = model_of("adam")
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path, max_to_keep=2)
    each = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: each.append(state(model)))
    fit(model, callback, note, epochs=3)
    assert callback.steps() == [1, 2]
    other = model_of("adam")
    reader = keras.callbacks.OrbaxCheckpoint(tmp_path)
    reader.restore(other)
    assert all(map(np.array_equal, state(other), each[2]))
    reader.restore(other, step=1)
    assert all(map(np.array_equal, state(other), each[1]))
    with pytest.raises(ValueError, match=r"one of the checkpoints \[1, 2\]"):
        reader.restore(other, step=0)


def state(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def test_another_run_in_the_folder_continues_the_steps(orbax, tmp_path):
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path, max_to_keep=None, save_on_background=False)
    model = model_of()
    fit(model, callback, epochs=2)
    fit(model, callback, epochs=4, initial_epoch=2)
    assert callback.steps() == [0, 1, 2, 3]
    fit(model, callback, epochs=2)
    assert callback.steps() == [0, 1, 2, 3, 4, 5]


def test_only_the_best_checkpoints_are_saved(orbax, tmp_path, capsys):
    callback = keras.callbacks.OrbaxCheckpoint(
        tmp_path, "loss", 1, save_best_only=True, max_to_keep=9, initial_value_threshold=2.5
    )
    callback.set_model(model_of())
    callback.on_train_begin()
    for epoch, loss in enumerate([3.0, 2.0, 2.25, 1.0]):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
    callback.on_train_end()
    assert callback.steps() == [1, 3]
    printed = capsys.readouterr().out
    assert "loss improved from 2.00000 to 1.00000" in printed
    assert f"saving checkpoint 3 in {tmp_path}" in printed


def test_batches_are_counted_over_epochs(orbax, tmp_path):
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq=3, max_to_keep=9)
    fit(model_of(), callback, epochs=2)
    assert callback.steps() == [3, 6]


def test_weights_alone_leave_the_optimizer_as_it_is(orbax, tmp_path):
    model = model_of("adam")
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path, save_weights_only=True)
    fit(model, callback)
    saved = model.get_weights()
    fit(model)
    before = [v.numpy() for v in model.optimizer.variables]
    callback.restore(model)
    assert all(map(np.array_equal, model.get_weights(), saved))
    assert all(map(np.array_equal, [v.numpy() for v in model.optimizer.variables], before))


def test_the_checkpoint_of_another_model_changes_nothing(orbax, tmp_path):
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path)
    fit(model_of(), callback)
    x = keras.Input((3,))
    other = keras.Model(x, keras.layers.Dense(2, name="out")(x))
    before = other.get_weights()
    with pytest.raises(ValueError):
        callback.restore(other)
    assert all(map(np.array_equal, other.get_weights(), before))


def test_the_options_reach_orbax(tmp_path, monkeypatch):
    world = StandIn()
    monkeypatch.setattr(orbax_module, "_orbax", world)
    fit(model_of(), keras.callbacks.OrbaxCheckpoint(tmp_path, max_to_keep=5,
                                                    save_on_background=False))  # fmt: skip
    assert world.options == [{"max_to_keep": 5, "enable_async_checkpointing": False}]


def test_without_orbax_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax", None)
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-fn\[orbax\]'"):
        fit(model_of(), keras.callbacks.OrbaxCheckpoint(tmp_path))


def test_an_invalid_save_freq_raises():
    with pytest.raises(ValueError, match="unrecognized save_freq"):
        keras.callbacks.OrbaxCheckpoint("x", save_freq="batch")
