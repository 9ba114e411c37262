"""Losses and metrics: as objects, as functions, by name."""

from habits import Raises

SETUP = """
true, pred = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 0.5], [0.5, 0.0]])
one_hot, p = np.eye(2, dtype="float32"), np.array([[0.8, 0.2], [0.4, 0.6]], "float32")
"""
LOG = (-0.22314355 - 0.51082562) / 2  # the mean of log 0.8 and log 0.6

HABITS = {
    # ----------------------------------------------------------------- losses
    "loss object": ("keras.losses.MeanSquaredError()(true, pred)", 0.125),
    "loss object on lists": ("keras.losses.MeanSquaredError()([1.0, 2.0], [1.0, 4.0])", 2),
    "loss function": ("keras.losses.mean_squared_error(true, pred)", [0.125, 0.125]),
    "loss by name": ("keras.losses.get('mse')(true, pred)", [0.125, 0.125]),
    "loss by a class name": ("keras.losses.get('MeanSquaredError').name", "mean_squared_error"),
    "loss by a wrong name": ("keras.losses.get('mze')", Raises(ValueError)),
    "loss by no name": ("keras.losses.get(None)", None),
    "no reduction": (
        "keras.losses.MeanAbsoluteError(reduction='none')(true, pred)",
        [0.25, 0.25],
    ),
    "sum": ("keras.losses.MeanAbsoluteError(reduction='sum')(true, pred)", 0.5),
    "weighted": ("keras.losses.MeanAbsoluteError()(true, pred, sample_weight=[2.0, 0.0])", 0.25),
    "crossentropy of one-hot labels": ("keras.losses.CategoricalCrossentropy()(one_hot, p)", -LOG),
    "crossentropy of integer labels": (
        "keras.losses.SparseCategoricalCrossentropy()([0, 1], p)",
        -LOG,
    ),
    "crossentropy of logits": (
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)([0, 1], np.log(p))",
        -LOG,
    ),
    "binary crossentropy": ("keras.losses.BinaryCrossentropy()([1.0, 1.0], [0.5, 0.5])", 0.6931472),
    "binary crossentropy of logits": (
        "keras.losses.BinaryCrossentropy(from_logits=True)([1.0], [0.0])",
        0.6931472,
    ),
    "label smoothing": (
        "keras.losses.BinaryCrossentropy(label_smoothing=1.0)([1.0], [0.5])",
        0.6931472,
    ),
    "huber": ("keras.losses.Huber()([0.0, 0.0], [0.5, 2.0])", (0.125 + 1.5) / 2),
    "cosine similarity is negative": (
        "keras.losses.CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]])",
        -1,
    ),
    "kl divergence": ("keras.losses.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])", 0),
    "hinge": ("keras.losses.Hinge()([1.0, -1.0], [0.5, 0.5])", 1),
    "loss of a wrong shape": (
        "keras.losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 4)))",
        Raises(Exception),
    ),
    "name and config": ("keras.losses.Huber(name='h').get_config()['name']", "h"),
    "custom loss class": (
        "class Twice(keras.losses.Loss):\n    def call(self, y_true, y_pred):\n"
        "        return 2 * ops.mean(ops.abs(y_true - y_pred), axis=-1)\nTwice()(true, pred)",
        0.5,
    ),
    # ----------------------------------------------------------------- metrics
    "update and result": (
        "m = keras.metrics.Mean()\nm.update_state([1, 2, 3])\nm.update_state(10)\nm.result()",
        4,
    ),
    "a metric called": ("float(keras.metrics.Mean()([1.0, 3.0]))", 2.0),
    "result as a float": (
        "m = keras.metrics.Sum()\nm.update_state([1, 2])\nfloat(m.result())",
        3.0,
    ),
    "reset": (
        "m = keras.metrics.Mean()\nm.update_state(5)\nm.reset_state()\nfloat(m.result())",
        0.0,
    ),
    "weighted mean": (
        "m = keras.metrics.Mean()\nm.update_state([1, 3], sample_weight=[1, 0])\nm.result()",
        1,
    ),
    "accuracy": ("keras.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])", 0.75),
    "binary accuracy": ("keras.metrics.BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6])", 0.75),
    "categorical accuracy": ("keras.metrics.CategoricalAccuracy()(one_hot, p)", 1),
    "sparse accuracy": ("keras.metrics.SparseCategoricalAccuracy()([0, 0], p)", 0.5),
    "top k accuracy": ("keras.metrics.SparseTopKCategoricalAccuracy(k=2)([0, 0], p)", 1),
    "precision": ("keras.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])", 2 / 3),
    "recall": ("keras.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])", 2 / 3),
    "auc": ("keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])", 0.75),
    "f1": ("keras.metrics.F1Score()(one_hot, p)", [1, 1]),
    "confusion": ("keras.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])", 2),
    "mean iou": ("keras.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])", 1 / 3),
    "root mean square": ("keras.metrics.RootMeanSquaredError()([0.0, 0.0], [3.0, 3.0])", 3),
    "r2": ("keras.metrics.R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]])", 1),
    "metric function": ("keras.metrics.categorical_accuracy(one_hot, p)", [1, 1]),
    "metric by name": ("type(keras.metrics.get('mae')).__name__", "MeanAbsoluteError"),
    "name of a metric": (
        "keras.utils.clear_session(free_memory=False)\n"
        "keras.metrics.Precision(name='p').name, keras.metrics.AUC().name",
        ["p", "auc"],
    ),
    "variables of a metric": (
        "[v.name for v in keras.metrics.Mean().variables]",
        ["total", "count"],
    ),
    "custom metric class": (
        "class Count(keras.metrics.Metric):\n"
        "    def __init__(self, name='count', **kwargs):\n"
        "        super().__init__(name=name, **kwargs)\n"
        "        self.n = self.add_variable(shape=(), initializer='zeros', name='n')\n"
        "    def update_state(self, y_true, y_pred, sample_weight=None):\n"
        "        self.n.assign(self.n + ops.sum(ops.cast(y_true == y_pred, 'float32')))\n"
        "    def result(self):\n        return self.n\n"
        "c = Count()\nc.update_state(np.array([1, 2]), np.array([1, 3]))\nc.result()",
        1,
    ),
    "custom metric by add_weight": (
        "class Last(keras.metrics.Metric):\n"
        "    def __init__(self, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        self.last = self.add_weight(name='last', initializer='zeros')\n"
        "    def update_state(self, values):\n        self.last.assign(values)\n"
        "    def result(self):\n        return self.last\n"
        "m = Last()\nm.update_state(3.0)\nfloat(m.result())",
        3.0,
    ),
    "mean of a function": (
        "m = keras.metrics.MeanMetricWrapper(lambda t, p: ops.abs(t - p))\n"
        "m.update_state(np.array([1.0]), np.array([3.0]))\nm.result()",
        2,
    ),
    "stateless update": (
        "m = keras.metrics.Mean()\n"
        "v = m.stateless_update_state(m.variables, np.array([2.0, 4.0]))\n"
        "m.stateless_result(v)",
        3,
    ),
}
