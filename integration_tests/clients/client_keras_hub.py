"""KerasHub: it is imported, and small backbones of its families are trained, saved and loaded."""

import keras
import keras_hub
import numpy as np
import pytest

TOKENS = np.random.default_rng(0).integers(1, 11, (4, 8))
PADDING = np.ones((4, 8), "int32")
SIZES = {"vocabulary_size": 11, "num_layers": 1, "num_heads": 2, "hidden_dim": 8}
SIZES |= {"intermediate_dim": 16, "max_sequence_length": 8}
BACKBONES = {
    "BertBackbone": SIZES,
    "RobertaBackbone": SIZES,
    "DistilBertBackbone": SIZES,
    "GPT2Backbone": SIZES,
    "OPTBackbone": SIZES,
    "AlbertBackbone": SIZES | {"embedding_dim": 4},
    "GemmaBackbone": {
        "vocabulary_size": 11, "num_layers": 1, "num_query_heads": 2, "num_key_value_heads": 1,
        "hidden_dim": 8, "intermediate_dim": 16, "head_dim": 4,
    },
    "LlamaBackbone": {
        "vocabulary_size": 11, "num_layers": 1, "num_query_heads": 2, "num_key_value_heads": 1,
        "hidden_dim": 8, "intermediate_dim": 16,
    },
}  # fmt: skip


def inputs(model):
    known = {"token_ids": TOKENS, "padding_mask": PADDING, "segment_ids": np.zeros((4, 8), "int32")}
    return {name: known[name] for name in model.input}


@pytest.mark.parametrize("name", BACKBONES)
def test_backbone(name, tmp_path):
    model = getattr(keras_hub.models, name)(**BACKBONES[name])
    found = model.predict(inputs(model), verbose=0)
    path = str(tmp_path / "model.keras")
    model.save(path)
    again = keras.saving.load_model(path).predict(inputs(model), verbose=0)
    for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(again), strict=True):
        assert np.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("name", ["GPT2Backbone", "LlamaBackbone"])
def test_a_language_model_is_trained(name):
    backbone = getattr(keras_hub.models, name)(**BACKBONES[name])
    cls = getattr(keras_hub.models, name.replace("Backbone", "CausalLM"))
    model = cls(backbone=backbone, preprocessor=None)
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), weighted_metrics=[]
    )
    history = model.fit(inputs(model), TOKENS, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_a_language_model_with_lora():
    backbone = keras_hub.models.GemmaBackbone(**BACKBONES["GemmaBackbone"])
    before = len(backbone.trainable_weights)
    backbone.enable_lora(2)
    assert 0 < len(backbone.trainable_weights) < before


@pytest.mark.parametrize("sampler", ["greedy", "top_k", "top_p", "random", "beam", "contrastive"])
def test_sampler(sampler):
    found = keras_hub.samplers.get(sampler)
    assert keras_hub.samplers.deserialize(keras_hub.samplers.serialize(found)).get_config()


@pytest.mark.parametrize(
    "layer",
    ["TransformerEncoder", "TransformerDecoder", "FNetEncoder", "TokenAndPositionEmbedding",
     "PositionEmbedding", "SinePositionEncoding", "RotaryEmbedding", "ReversibleEmbedding",
     "MaskedLMHead", "CachedMultiHeadAttention", "AlibiBias"],
)  # fmt: skip
def test_layer(layer):
    x = np.random.default_rng(0).random((2, 6, 8)).astype("float32")
    layers = keras_hub.layers
    made = {
        "TransformerEncoder": lambda: layers.TransformerEncoder(16, 2)(x),
        "TransformerDecoder": lambda: layers.TransformerDecoder(16, 2)(x),
        "FNetEncoder": lambda: layers.FNetEncoder(16)(x),
        "TokenAndPositionEmbedding": lambda: layers.TokenAndPositionEmbedding(
            11, 8, 8, mask_zero=True
        )(TOKENS),
        "PositionEmbedding": lambda: layers.PositionEmbedding(6)(x),
        "SinePositionEncoding": lambda: layers.SinePositionEncoding()(x),
        "RotaryEmbedding": lambda: layers.RotaryEmbedding()(x),
        "ReversibleEmbedding": lambda: layers.ReversibleEmbedding(11, 8)(TOKENS),
        "MaskedLMHead": lambda: layers.MaskedLMHead(11)(x, mask_positions=np.array([[1], [2]])),
        "CachedMultiHeadAttention": lambda: layers.CachedMultiHeadAttention(2, 4)(x, value=x),
        "AlibiBias": lambda: layers.AlibiBias()(np.zeros((2, 4, 6, 6), "float32")),
    }[layer]()
    first = made[0] if isinstance(made, tuple) else made
    assert np.isfinite(keras.ops.convert_to_numpy(first)).all()


@pytest.mark.parametrize("metric", ["Perplexity", "EditDistance"])
def test_metric(metric):
    if metric == "Perplexity":
        found = keras_hub.metrics.Perplexity(from_logits=True)
        found.update_state(TOKENS, np.random.default_rng(0).random((4, 8, 11)))
    else:
        found = keras_hub.metrics.EditDistance()
        found.update_state([["the", "cat", "sat"]], [["the", "cat", "sat", "on"]])
    assert float(found.result()) > 0


def test_resnet_image_classifier(tmp_path):
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[3], stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1], stackwise_num_strides=[1, 2],
        block_type="basic_block", use_pre_activation=False, image_shape=(16, 16, 3),
    )  # fmt: skip
    model = keras_hub.models.ImageClassifier(backbone, num_classes=2, preprocessor=None)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = np.random.default_rng(0).random((4, 16, 16, 3)).astype("float32")
    model.fit(images, np.array([0, 1, 0, 1]), verbose=0)
    path = str(tmp_path / "model.keras")
    model.save(path)
    again = keras.saving.load_model(path).predict(images, verbose=0)
    assert np.allclose(model.predict(images, verbose=0), again, atol=1e-5)
