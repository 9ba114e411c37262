"""Classification of structured data: numbers, categories, and crosses of categories, in one model.

The model takes the columns of a table as they are, in `fit`, in `predict` and after loading. What
it has to learn needs more than a weight for each column: it depends on the bin of the age, and on
the pair of plan and city.
"""

import numpy as np

import keras_fn as keras
from keras_fn import layers

CITIES = ("Berlin", "Lagos", "Lima", "Seoul")
PLANS = ("basic", "family", "business")
CODES = (100, 205, 310, 999)  # of products
LOYAL = {("Berlin", "basic"), ("Lagos", "family"), ("Lima", "business"), ("Seoul", "basic")}


def draw_customers(count: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Returns the columns of a table, and 1 for the customers who stay."""
    random = np.random.default_rng(seed)
    table = {
        "age": random.uniform(18, 90, count).astype("float32"),
        "income": random.lognormal(10, 0.5, count).astype("float32"),
        "city": random.choice(CITIES, count).astype(object),
        "plan": random.choice(PLANS, count).astype(object),
        "product": random.choice(CODES, count),
        "visits": random.poisson(4, (count, 3)).astype("float32"),
    }
    is_loyal = np.array([pair in LOYAL for pair in zip(table["city"], table["plan"], strict=True)])
    is_middle_aged = (table["age"] > 35) & (table["age"] < 60)
    score = 2.0 * is_loyal + 1.5 * is_middle_aged + 0.8 * (table["product"] == 205)
    score += 0.5 * (np.log(table["income"]) - 10) + 0.1 * (table["visits"].sum(1) - 12)
    return table, (score > 1.3).astype("float32")


def make_model(table: dict[str, np.ndarray]) -> keras.Model:
    """Builds a model of the columns, adapted to those of a table."""
    dtypes = {"city": "string", "plan": "string", "product": "int64"}
    inputs = {
        name: keras.Input(column.shape[1:] or (1,), dtype=dtypes.get(name, "float32"), name=name)
        for name, column in table.items()
    }
    numbers = []
    for name in ("income", "visits"):
        normalize = layers.Normalization(name=f"normalized_{name}")
        normalize.adapt(table[name].reshape(len(table[name]), -1))
        numbers.append(normalize(inputs[name]))
    age = layers.Discretization(num_bins=12, output_mode="one_hot", name="age_bin")
    age.adapt(table["age"])
    cities = layers.StringLookup(output_mode="one_hot", name="city_index")
    cities.adapt(table["city"])
    plans = layers.StringLookup(vocabulary=list(PLANS), num_oov_indices=0, name="plan_index")
    products = layers.IntegerLookup(name="product_index")
    products.adapt(table["product"])
    crosses = layers.HashedCrossing(num_bins=64, output_mode="one_hot", name="city_and_plan")
    plan = layers.CategoryEncoding(len(PLANS), "one_hot")(plans(inputs["plan"]))
    product = layers.Embedding(products.vocabulary_size(), 2)(products(inputs["product"]))
    features = layers.Concatenate()([
        *numbers, age(inputs["age"]), cities(inputs["city"]), plan, layers.Flatten()(product),
        crosses((inputs["city"], inputs["plan"])),
    ])  # fmt: skip
    hidden = layers.Dense(16, activation="relu")(features)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))


def main(epochs: int = 12) -> tuple[keras.Model, dict[str, list[float]]]:
    """Trains on the columns of a table, and returns the model and its history."""
    keras.utils.set_random_seed(5)
    table, labels = draw_customers(1024, seed=1)
    model = make_model(table)
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    validation = draw_customers(256, seed=2)
    history = model.fit(
        table, labels, batch_size=64, epochs=epochs, validation_data=validation, verbose=0
    )
    return model, history.history


if __name__ == "__main__":
    print(main()[1]["val_accuracy"])
