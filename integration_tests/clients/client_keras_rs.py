"""KerasRS: its layers, losses and metrics in models that are trained, saved and loaded."""

import keras
import keras_rs
import numpy as np
import pytest
from keras import ops

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.random((4, 6)).astype("float32")
LABELS = RANDOM.integers(0, 3, (4, 6)).astype("float32")
LOSSES = (
    "ListMLELoss",
    "PairwiseHingeLoss",
    "PairwiseLogisticLoss",
    "PairwiseMeanSquaredError",
    "PairwiseSoftZeroOneLoss",
)
METRICS = ("DCG", "NDCG", "MeanAveragePrecision", "MeanReciprocalRank", "PrecisionAtK", "RecallAtK")


def reload(model, tmp_path):
    path = str(tmp_path / "model.keras")
    model.save(path)
    return keras.saving.load_model(path)


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name):
    loss = getattr(keras_rs.losses, name)()
    value = ops.convert_to_numpy(loss(LABELS, SCORES))
    assert value.shape == () and np.isfinite(value)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert np.allclose(value, ops.convert_to_numpy(again(LABELS, SCORES)))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_with_weights_mask_and_reduction(name, reduction):
    loss = getattr(keras_rs.losses, name)(reduction=reduction)
    true = {"labels": LABELS, "mask": SCORES > 0.2}
    value = ops.convert_to_numpy(loss(true, SCORES))
    weighted = ops.convert_to_numpy(loss(true, SCORES, sample_weight=np.full((4, 1), 2.0)))
    assert np.isfinite(value).all() and np.allclose(weighted, 2 * value, rtol=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_model_is_trained_with_a_loss(name):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6)])
    model.compile("sgd", getattr(keras_rs.losses, name)())
    x = RANDOM.random((4, 3)).astype("float32")
    history = model.fit(x, LABELS, batch_size=2, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("name", METRICS)
def test_metric(name, k):
    metric = getattr(keras_rs.metrics, name)(k=k)
    labels = LABELS if "CG" in name else (LABELS > 1).astype("float32")
    for rows in (slice(0, 2), slice(2, 4)):
        metric.update_state(labels[rows], SCORES[rows])
    result = float(metric.result())
    again = type(metric).from_config(metric.get_config())
    again.update_state(labels, SCORES, sample_weight=np.ones((4,), "float32"))
    assert result == pytest.approx(float(again.result()), rel=1e-4)
    metric.reset_state()
    assert float(metric.result()) == 0.0


@pytest.mark.parametrize("name", METRICS)
def test_a_model_is_evaluated_with_a_metric(name):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6)])
    model.compile("sgd", "mse", metrics=[getattr(keras_rs.metrics, name)(k=2, name="m")])
    x = RANDOM.random((4, 3)).astype("float32")
    result = model.evaluate(x, (LABELS > 1).astype("float32"), verbose=0, return_dict=True)
    assert 0 <= result["m"] <= 10


@pytest.mark.parametrize("options", [{}, {"projection_dim": 2}, {"diag_scale": 0.5}])
def test_feature_cross(options, tmp_path):
    x0 = keras.Input((5,))
    cross = keras_rs.layers.FeatureCross(**options)
    out = keras_rs.layers.FeatureCross(**options)(x0, cross(x0))
    model = keras.Model(x0, keras.layers.Dense(1)(out))
    model.compile("adam", "mse")
    x = RANDOM.random((8, 5)).astype("float32")
    model.fit(x, x[:, :1], verbose=0)
    again = reload(model, tmp_path)
    assert np.allclose(model.predict(x, verbose=0), again.predict(x, verbose=0), atol=1e-6)


@pytest.mark.parametrize("itself", [False, True])
@pytest.mark.parametrize("gather", [False, True])
def test_dot_interaction(itself, gather, tmp_path):
    inputs = [keras.Input((4,)) for _ in range(3)]
    layer = keras_rs.layers.DotInteraction(self_interaction=itself, skip_gather=gather)
    model = keras.Model(inputs, layer(inputs))
    x = [RANDOM.random((2, 4)).astype("float32") for _ in range(3)]
    found = model.predict(x, verbose=0)
    assert found.shape == (2, 9 if gather else 6 if itself else 3)
    assert np.allclose(found, reload(model, tmp_path).predict(x, verbose=0))


@pytest.mark.parametrize("combiner", ["mean", "sum", "sqrtn"])
def test_embed_reduce(combiner, tmp_path):
    indices = keras.Input((3,), dtype="int32")
    weights = keras.Input((3,))
    model = keras.Model([indices, weights], keras_rs.layers.EmbedReduce(7, 2, combiner=combiner)(
        indices, weights
    ))  # fmt: skip
    data = [RANDOM.integers(0, 7, (4, 3)), RANDOM.random((4, 3)).astype("float32")]
    found = model.predict(data, verbose=0)
    assert found.shape == (4, 2)
    assert np.allclose(found, reload(model, tmp_path).predict(data, verbose=0))


def test_brute_force_retrieval():
    candidates = RANDOM.random((20, 3)).astype("float32")
    layer = keras_rs.layers.BruteForceRetrieval(candidate_embeddings=candidates, k=5)
    query = RANDOM.random((2, 3)).astype("float32")
    scores, ids = layer(query)
    wanted = np.argsort(-(query @ candidates.T), axis=1)[:, :5]
    assert np.array_equal(ops.convert_to_numpy(ids), wanted)
    assert ops.convert_to_numpy(scores).shape == (2, 5)


def test_a_retrieval_model_is_trained(tmp_path):
    class TwoTowers(keras.Model):
        def __init__(self):
            super().__init__()
            self.query = keras.layers.Embedding(10, 4)
            self.item = keras.layers.Embedding(20, 4)
            self.mining = keras_rs.layers.HardNegativeMining(num_hard_negatives=3)
            self.hits = keras_rs.layers.RemoveAccidentalHits()
            self.correction = keras_rs.layers.SamplingProbabilityCorrection()
            self.loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True)

        def call(self, inputs):
            return self.query(inputs["query"]), self.item(inputs["item"])

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            query, item = y_pred
            logits = ops.matmul(query, ops.transpose(item))
            labels = ops.eye(ops.shape(query)[0])
            logits = self.correction(logits, ops.full((8,), 0.1))
            logits = self.hits(logits, labels, x["item"])
            logits, labels = self.mining(logits, labels)
            return self.loss_fn(labels, logits)

    model = TwoTowers()
    model.compile("adagrad")
    x = {"query": RANDOM.integers(0, 10, 16), "item": RANDOM.integers(0, 20, 16)}
    history = model.fit(x, batch_size=8, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    model.save_weights(str(tmp_path / "w.weights.h5"))


@pytest.mark.parametrize("placement", ["default_device", "auto"])
def test_distributed_embedding(placement):
    table = keras_rs.layers.TableConfig("table", 10, 4, combiner="mean", placement=placement)
    feature = keras_rs.layers.FeatureConfig("feature", table, (2, 3), (2, 4))
    layer = keras_rs.layers.DistributedEmbedding({"a": feature})
    out = layer({"a": np.array([[1, 2, 3], [4, 5, 6]])})
    assert ops.convert_to_numpy(out["a"]).shape == (2, 4)
    assert len(layer.trainable_weights) == 1
