"""Data that fit refuses: with a clear error, before the first step, without changing the model."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers

X = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
Y = np.arange(8) % 4


def classifier():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, layers.Dense(4, activation="softmax", name="y")(x), name="m")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    return model


def pair():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    outputs = {"p": layers.Dense(1)(a), "q": layers.Dense(1)(b)}
    model = keras.Model({"a": a, "b": b}, outputs, name="m")
    model.compile("adam", "mse")
    model.fit(IN, OUT, verbose=0)
    return model


IN = {"a": X, "b": X[:, :2]}
OUT = {"p": X[:, :1], "q": X[:, 1:2]}


def error(expected, given, fix, source="Functional model 'm'"):
    return f"{source}\n  expected: {expected}\n  received: {given}\n  fix:      {fix}"


LENGTHS = "arrays with the same number of samples"
CUT = "cut or complete the shorter ones"
RESHAPE = "reshape the data; the first axis is the samples"
NUMBERS = "encode text and categories as numbers, for example with a vocabulary"
RANGE = (
    "count the classes from 0, set ignore_class for labels to ignore, or add classes to "
    "the model's output"
)
SPARSE = (
    "LossFunctionWrapper 'sparse_categorical_crossentropy', targets of "
    "\"Functional model 'm', output 'y'\""
)

CASES = {
    "targets of another length": (
        dict(x=X, y=Y[:7]),
        error(LENGTHS, "x: 8, y: 7", CUT),
    ),
    "weights of another length": (
        dict(x=X, y=Y, sample_weight=np.ones(9)),
        error(LENGTHS, "x: 8, y: 8, sample_weight: 9", CUT),
    ),
    "a size that is wrong": (
        dict(x=X[:, :2], y=Y),
        error("input 'x' of shape (None, 3)", "shape (8, 2)", RESHAPE),
    ),
    "a rank that is wrong": (
        dict(x=X[..., None, None], y=Y),
        error("input 'x' of shape (None, 3)", "shape (8, 3, 1, 1)", RESHAPE),
    ),
    "text": (
        dict(x=np.array([["a", "b", "c"]] * 8), y=Y),
        error("input 'x' that are numbers", "an array of text", NUMBERS),
    ),
    "objects": (
        dict(x=np.array([[None, 1, {}]] * 8), y=Y),
        error("input 'x' that are numbers", "an array of Python objects", NUMBERS),
    ),
    "text as targets": (
        dict(x=X, y=np.array(list("abcdabcd"))),
        error("targets that are numbers", "an array of text", NUMBERS),
    ),
    "text as weights": (
        dict(x=X, y=Y, sample_weight=np.array(list("abcdabcd"))),
        error("sample weights that are numbers", "an array of text", NUMBERS),
    ),
    "no samples": (
        dict(x=X[:0], y=Y[:0]),
        error("at least one sample", "empty arrays", "check where they come from"),
    ),
    "no targets": (
        dict(x=X),
        error("targets y, as compile() named a loss", "none", "pass y="),
    ),
    "a label that is too high": (
        dict(x=X, y=Y + 1),
        error("class indices from 0 to 3", "classes from 1 to 4", RANGE, None),
    ),
    "a label below 0": (
        dict(x=X, y=Y - 1),
        error("class indices from 0 to 3", "classes from -1 to 2", RANGE, None),
    ),
    "a label that is too high, in the last batch only": (
        dict(x=X, y=np.r_[Y[:7], 9], batch_size=2),
        error("class indices from 0 to 3", "classes from 0 to 9", RANGE, None),
    ),
    "a label that is too high, in the validation": (
        dict(x=X, y=Y, validation_data=(X, Y + 1)),
        error("class indices from 0 to 3", "classes from 1 to 4", RANGE, None),
    ),
    "validation data of a wrong size": (
        dict(x=X, y=Y, validation_data=(X[:, :2], Y)),
        error("input 'x' of shape (None, 3)", "shape (8, 2)", RESHAPE),
    ),
    "one-hot labels where class indices are expected": (
        dict(x=X, y=np.eye(4)[Y]),
        None,
    ),
    "a dict with a wrong key": (
        dict(x={"z": X}, y=Y),
        error("inputs named x", "inputs named z", "add x; drop z"),
    ),
    "a scalar": (
        dict(x=np.float32(1), y=Y),
        error(
            "input 'x': arrays whose first axis is the samples",
            "a single number",
            "stack the samples into one array",
        ),
    ),
    "no data at all": (
        dict(),
        error("data", "x=None", "pass x= an array or a dataset"),
    ),
    "a batch size of none": (
        dict(x=X, y=Y, batch_size=0),
        error("batch_size as a positive integer", "batch_size=0", "for example batch_size=32"),
    ),
    "a split of everything": (
        dict(x=X, y=Y, validation_split=1.0),
        error(
            "validation_split as a fraction between 0 and 1",
            "validation_split=1.0",
            "for example validation_split=0.2",
        ),
    ),
    "batches and targets": (
        dict(x=iter([(X, Y)]), y=Y),
        error(
            "data that yields batches, with the targets and weights in them",
            "y or sample_weight in addition to it",
            "let the data yield (x, y) or (x, y, sample_weight)",
        ),
    ),
    "a first batch of a wrong size": (
        dict(x=iter([(X[:, :2], Y)])),
        error("input 'x' of shape (None, 3)", "shape (8, 2)", RESHAPE),
    ),
}

PAIR_CASES = {
    "an input missing": (
        dict(x={"a": X}, y=OUT),
        error("inputs named a, b", "inputs named a", "add b"),
    ),
    "an input too many": (
        dict(x={**IN, "c": X}, y=OUT),
        error("inputs named a, b", "inputs named a, b, c", "drop c"),
    ),
    "a target missing": (
        dict(x=IN, y={"p": OUT["p"]}),
        error("targets for the outputs p, q", "targets for p", "add q"),
    ),
    "a target unknown": (
        dict(x=IN, y={**OUT, "r": X}),
        error("targets for the outputs p, q", "targets for p, q, r", "drop or rename r"),
    ),
    "targets in a list that is too short": (
        dict(x=IN, y=[X[:, :1]]),
        error(
            "targets for 2 outputs: p, q", "1", "one for each, as a list in this order, or a dict"
        ),
    ),
    "inputs of different lengths": (
        dict(x={"a": X, "b": X[:5, :2]}, y=OUT),
        error(LENGTHS, "x[0]: 8, x[1]: 5, y[0]: 8, y[1]: 8", CUT),
    ),
    "weights of different lengths": (
        dict(x=IN, y=OUT, sample_weight={"p": np.ones(3), "q": np.ones(8)}),
        error(
            LENGTHS,
            "x[0]: 8, x[1]: 8, y[0]: 8, y[1]: 8, sample_weight[0]: 3, sample_weight[1]: 8",
            CUT,
        ),
    ),
    "a weight for an output that is not there": (
        dict(x=IN, y=OUT, sample_weight={"r": np.ones(8)}),
        error("sample weights for the outputs p, q", "sample weights for r", "drop or rename r"),
    ),
}


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    variables += [v for metric in model.metrics for v in metric.variables]
    return {v.path: np.array(v.numpy()) for v in variables}


ROWS = [(classifier, *row) for row in CASES.values()]
ROWS += [(pair, *row) for row in PAIR_CASES.values()]
_models = {}


@pytest.mark.parametrize("make, options, message", ROWS, ids=[*CASES, *PAIR_CASES])
def test_bad_data_is_refused_and_changes_nothing(make, options, message):
    model = _models.setdefault(make, None) or make()
    _models[make] = model  # unchanged, so the next case reuses it
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        model.fit(**options, epochs=2, verbose=0)
    if message is not None:
        assert str(caught.value).endswith(message.removeprefix("None"))
    after = state(model)
    assert before.keys() == after.keys()
    for path, value in before.items():
        np.testing.assert_array_equal(after[path], value, err_msg=path)


def test_labels_outside_the_classes_name_the_output():
    model = classifier()
    for run in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=r"(?s)output 'y'.*classes from 1 to 4"):
            run(X, Y + 1, verbose=0)
    for run in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match=r"(?s)output 'y'.*classes from 1 to 4"):
            run(X, Y + 1)


def test_fractions_for_an_integer_input_are_refused():
    x = keras.Input((2,), dtype="int32", name="x")
    model = keras.Model(x, layers.Flatten()(layers.Embedding(5, 1)(x)), name="m")
    with pytest.raises(TypeError) as caught:
        model.predict(np.full((2, 2), 0.5), verbose=0)
    assert str(caught.value) == error(
        "input 'x' of dtype int32",
        "fractions",
        "feed integers, or make the Input with dtype='float32'",
    )


def test_an_uncompiled_model_raises():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(x), name="m")
    for name in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError) as caught:
            getattr(model, name)(X, X[:, :1])
        assert str(caught.value) == (
            f"Functional model 'm', in {name}\n  expected: a compiled model\n"
            "  received: a model that is not compiled\n"
            "  fix:      call model.compile(optimizer=..., loss=...) first"
        )


def test_refused_data_does_not_build_the_model():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(4, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    with pytest.raises(ValueError):
        model.fit(X, verbose=0)  # no targets
    with pytest.raises(ValueError):
        model.fit(X, np.eye(4)[Y], verbose=0)  # one-hot codes
    expected = (model.predict(X, verbose=0).argmax(-1) == Y).mean()
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert logs["accuracy"] == pytest.approx(expected)


def test_data_without_batches_raises():
    model = classifier()
    with pytest.raises(ValueError, match="The data yields no batch"):
        model.fit(iter([]), verbose=0)


def test_training_ends_where_the_data_does_and_no_loss_of_0_is_logged():
    for epochs, steps, batches, done in ((2, None, 1, 1), (3, 2, 3, 2), (3, 2, 4, 2)):
        model = classifier()
        with pytest.warns(UserWarning, match="input ran out of data"):
            history = model.fit(
                iter([(X, Y)] * batches), epochs=epochs, steps_per_epoch=steps, verbose=0
            )
        assert history.epoch == list(range(done))
        assert len(history.history["loss"]) == done and min(history.history["loss"]) > 0


def test_a_validation_without_data_is_not_logged():
    data, calls = iter([(X, Y)] * 3), []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: calls.append({**logs}))
    with pytest.warns(UserWarning, match="ran out of data"):
        classifier().fit(
            X, Y, validation_data=data, validation_steps=2, epochs=3, callbacks=note, verbose=0
        )
    assert ["val_loss" in logs for logs in calls] == [True, True, False]


LOOP_ARGUMENTS = {
    "epochs": (2.0, -1, True, None, "2", [2]),
    "initial_epoch": (0.5, -1, None),
    "batch_size": (2.5, 0, -1, "32", True),
    "steps_per_epoch": (1.5, 0, "2"),
    "validation_steps": (1.5, 0),
    "validation_batch_size": (4.0, 0),
    "validation_split": ("a", -0.1, 1, None, True),
    "validation_freq": (0, 1.5, "2", [0.5]),
    "verbose": ("yes", 1.0, [1]),
    "shuffle": ("batch", None, 0.5),
    "steps": (2.0, 0, "2"),
    "return_dict": ("yes", None),
}


def refuses(run, name, value):
    with pytest.raises(ValueError, match=f"expected: {name} as ") as caught:
        run(**{name: value})
    assert f"received: {name}={value!r}" in str(caught.value)
    is_type = not (isinstance(value, (int, float, str, list)) and not isinstance(value, bool))
    assert isinstance(caught.value, TypeError) or not is_type


@pytest.mark.parametrize("name", LOOP_ARGUMENTS)
def test_arguments_of_the_loops_are_checked_by_name(name):
    model = classifier()
    runs = {
        "steps": (lambda **k: model.evaluate(X, Y, **k), lambda **k: model.predict(X, **k)),
        "return_dict": (lambda **k: model.evaluate(X, Y, **k),),
    }
    everywhere = (lambda **k: model.evaluate(X, Y, **k), lambda **k: model.predict(X, **k))
    for run in runs.get(
        name,
        (
            lambda **k: model.fit(X, Y, **k),
            *(everywhere if name in ("batch_size", "verbose") else ()),
        ),
    ):
        for value in LOOP_ARGUMENTS[name]:
            refuses(run, name, value)


def test_numpy_numbers_are_arguments_of_the_loops():
    model, two = classifier(), np.int64(2)
    history = model.fit(
        X, Y, batch_size=two, epochs=two, steps_per_epoch=two, validation_split=np.float32(0.5),
        validation_freq=[two], shuffle=np.True_, verbose=np.int32(0),
    )  # fmt: skip
    assert len(history.history["loss"]) == 2 and len(history.history["val_loss"]) == 1
    assert model.predict(X, batch_size=two, steps=two, verbose=False).shape == (4, 4)


MISSPELT = {
    "fit": ("epoch", "epochs"),
    "evaluate": ("batchsize", "batch_size"),
    "predict": ("step", "steps"),
    "train_on_batch": ("sample_weights", "sample_weight"),
    "test_on_batch": ("returndict", "return_dict"),
    "compile": ("metric", "metrics"),
}


@pytest.mark.parametrize("method", MISSPELT)
def test_a_misspelt_argument_is_named_with_the_one_that_was_meant(method):
    wrong, right = MISSPELT[method]
    with pytest.raises(TypeError, match=f"{method}\n(.|\n)*did you mean {right}=") as caught:
        getattr(classifier(), method)(**({} if method == "compile" else {"x": X}), **{wrong: 2})
    assert f"received: {wrong}=" in str(caught.value)
