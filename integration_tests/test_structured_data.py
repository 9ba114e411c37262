"""A model of the columns of a table that is trained, saved, and loaded, on every backend."""

import numpy as np
from examples import structured_data as example

import keras_fn as keras


def test_a_model_of_structured_data_learns_bins_and_crosses(tmp_path):
    model, history = example.main()
    assert history["val_accuracy"][-1] > 0.9
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    table, _ = example.draw_customers(8, seed=3)
    predictions = model.predict(table, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(table, verbose=0), predictions, 1e-5, 1e-6)
    # One customer at a time, as a service would ask.
    first = {name: column[:1] for name, column in table.items()}
    np.testing.assert_allclose(loaded.predict(first, verbose=0), predictions[:1], 1e-4, 1e-5)


def test_what_was_adapted_is_what_numpy_says():
    table, _ = example.draw_customers(512, seed=1)
    model = example.make_model(table)
    income = model.get_layer("normalized_income")
    np.testing.assert_allclose(income.adapt_mean.numpy(), [table["income"].mean(dtype="f8")], 1e-5)
    np.testing.assert_allclose(
        income.adapt_variance.numpy(), [table["income"].var(dtype="f8")], 1e-5
    )
    edges = model.get_layer("age_bin").bin_boundaries
    expected = np.quantile(table["age"], np.arange(1, 12) / 12, method="interpolated_inverted_cdf")
    np.testing.assert_allclose(edges, expected, 1e-5)
    assert set(model.get_layer("city_index").get_vocabulary()[1:]) == set(example.CITIES)
    assert set(model.get_layer("product_index").get_vocabulary()[1:]) == set(example.CODES)
