"""Base class of optimizers: clipping, decay, EMA, accumulation, learning rates, state, errors."""

import re
import warnings

import numpy as np
import pytest

from keras_fn import ops, optimizers
from keras_fn.backend.loader import current
from keras_fn.core.naming import name_scope, reset_names
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable

ALL = tuple(optimizers._CLASSES)
G = [np.array([[3.0, -4.0]], "float32"), np.array([12.0], "float32")]


def tensors(arrays):
    return [ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays]


def variables(*values):
    values = values or ([[1.0, 1.0]], [1.0])
    names = ("kernel", "bias", "other")
    with name_scope("dense"):
        return [
            Variable(np.asarray(v, "float32"), name=n) for v, n in zip(values, names, strict=False)
        ]


def moved(options, grads=G):
    """Returns by how much plain gradient descent with these options moves its variables."""
    vs = variables()
    optimizers.SGD(1.0, **options).apply(tensors(grads), vs)
    return [1.0 - v.numpy() for v in vs]


def assert_close(got, want, rtol=1e-6):
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=rtol, atol=1e-7)


# Clipping and scaling


def test_clipvalue_limits_elements():
    assert_close(moved({"clipvalue": 3.5}), [[[3.0, -3.5]], [3.5]])


def test_clipnorm_limits_the_norm_of_each():
    assert_close(moved({"clipnorm": 5.0}), [G[0], [5.0]])
    assert_close(moved({"clipnorm": 1.0}), [[[0.6, -0.8]], [1.0]])


def test_global_clipnorm_limits_the_norm_of_all():
    assert_close(moved({"global_clipnorm": 26.0}), G)
    assert_close(moved({"global_clipnorm": 6.5}), [G[0] / 2, G[1] / 2])


def test_clipping_keeps_zero_gradients():
    zeros = [np.zeros((1, 2)), np.zeros(1)]
    for kind in ("clipvalue", "clipnorm", "global_clipnorm"):
        assert_close(moved({kind: 0.5}, zeros), zeros)


def test_a_nan_reaches_all_gradients_under_global_clipnorm():
    assert all(np.isnan(m).all() for m in moved({"global_clipnorm": 1.0}, [G[0], [np.nan]]))


def test_a_clipping_limit_of_zero_is_off():
    assert_close(moved({"clipnorm": 0.0}), G)


def test_loss_scale_factor():
    optimizer = optimizers.SGD(1.0, loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(ops.convert_to_tensor(2.0))) == 16.0
    assert_close(moved({"loss_scale_factor": 8.0}), [G[0] / 8, G[1] / 8])


# Weight decay


def test_weight_decay_is_applied_before_the_update():
    vs = variables([[2.0, 4.0]], [1.0])
    optimizers.SGD(0.5, weight_decay=0.2).apply(tensors([[[1.0, 0.0]], [0.0]]), vs)
    assert_close([v.numpy() for v in vs], [[[2 - 0.2 - 0.5, 4 - 0.4]], [0.9]])


@pytest.mark.parametrize("by_name", [True, False])
def test_variables_can_be_excluded_from_weight_decay(by_name):
    vs = variables()
    optimizer = optimizers.AdamW(0.5, weight_decay=0.2)
    options = {"var_names": ["bias", "gamma"]} if by_name else {"var_list": [vs[1]]}
    optimizer.exclude_from_weight_decay(**options)
    optimizer.apply(tensors([[[0.0, 0.0]], [0.0]]), vs)
    assert_close([v.numpy() for v in vs], [[[0.9, 0.9]], [1.0]])
    with pytest.raises(ValueError, match="before the first step"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


# Moving averages and gradient accumulation


def test_moving_averages_and_overwriting():
    optimizer = optimizers.SGD(
        1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3
    )  # fmt: skip
    (v,), w, average = variables([0.0]), 0.0, None
    for step in range(1, 7):
        optimizer.apply(tensors([[1.0]]), [v])
        w -= 1.0
        average = w if average is None else 0.5 * average + 0.5 * w
        w = average if step % 3 == 0 else w
        assert_close([v.numpy()], [[w]])


def test_moving_averages_are_assigned_at_the_end():
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    vs = variables()
    for _ in range(2):
        optimizer.apply(tensors(G), vs)
    optimizer.finalize_variable_values(vs)
    # The first average is 1 - g, the second 3/4 of it and 1/4 of 1 - 2 g.
    assert_close([v.numpy() for v in vs], [1 - 1.25 * g for g in G])
    with pytest.raises(ValueError, match="2 variables that it was built for"):
        optimizer.finalize_variable_values(vs[:1])


def mean_steps(count, k):
    """Returns `count` steps of gradients for each of two variables, and the mean of every k."""
    rng = np.random.default_rng(1)
    steps = [[rng.normal(size=(1, 2)), rng.normal(size=1)] for _ in range(count)]
    means = [
        [np.mean([s[i] for s in steps[first : first + k]], axis=0) for i in range(2)]
        for first in range(0, count, k)
    ]
    return steps, means


@pytest.mark.parametrize("cls", ALL)
def test_accumulation_equals_a_big_batch(cls):
    steps, means = mean_steps(6, 3)
    small, big = variables(), variables()
    options = {"weight_decay": 0.1, "global_clipnorm": 1.0}
    one = cls(learning_rate=0.1, gradient_accumulation_steps=3, **options)
    other = cls(learning_rate=0.1, **options)
    for i, grads in enumerate(steps):
        before = [v.numpy() for v in small]
        one.apply(tensors(grads), small)
        if (i + 1) % 3:
            assert_close([v.numpy() for v in small], before, rtol=0)
        else:
            other.apply(tensors(means[i // 3]), big)
            assert_close([v.numpy() for v in small], [v.numpy() for v in big], rtol=1e-5)
    assert int(ops.convert_to_numpy(one.iterations)) == 2


def counting_options():
    """Options that depend on the number of updates, and a constraint that each update applies."""
    rates = optimizers.schedules.PiecewiseConstantDecay([0, 1], [0.5, 0.25, 0.125])
    return {
        "learning_rate": rates,
        "weight_decay": 0.1,
        "use_ema": True,
        "ema_momentum": 0.5,
        "ema_overwrite_frequency": 2,
    }


WRAPPERS = {
    "alone": lambda o: o,
    "scaled": lambda o: optimizers.LossScaleOptimizer(o, initial_scale=1.0),
    "several": lambda o: optimizers.MultiOptimizer(lambda v: o),
}


def run_in_a_compiled_step(optimizer, vs):
    """Returns `optimizer.apply` for these variables as a compiled function of the gradients."""
    optimizer.build(vs)
    return current().compile(lambda *grads: optimizer.apply(grads, vs), [*vs, *optimizer.variables])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_one_update_is_one_step_for_schedules_averages_and_constraints(wrapper, compiled):
    steps, means = mean_steps(6, 2)
    small, big = variables(), variables()
    for v in (small[0], big[0]):
        v.constraint = lambda w: 0.75 * w
    inner = optimizers.SGD(**counting_options(), gradient_accumulation_steps=2)
    one = WRAPPERS[wrapper](inner)
    other = WRAPPERS[wrapper](optimizers.SGD(**counting_options()))
    apply = run_in_a_compiled_step(one, small) if compiled else lambda *g: one.apply(g, small)
    for i, grads in enumerate(steps):
        assert float(inner.learning_rate) == [0.5, 0.25, 0.125][i // 2]
        before = [v.numpy() for v in (*small, *inner._moving_averages)]
        apply(*tensors(grads))
        after = [v.numpy() for v in (*small, *inner._moving_averages)]
        if i % 2:
            other.apply(tensors(means[i // 2]), big)
            assert_close(after[:2], [v.numpy() for v in big])
        elif i:
            assert_close(after, before, rtol=0)
    for optimizer, vs in ((one, small), (other, big)):
        optimizer.finalize_variable_values(vs)
    assert_close([v.numpy() for v in small], [v.numpy() for v in big])


def test_a_callable_learning_rate_is_called_once_for_each_update():
    rates = iter([1.0, 0.5])
    optimizer = optimizers.SGD(lambda: next(rates), gradient_accumulation_steps=2)
    (v,) = variables([0.0])
    for _ in range(4):
        optimizer.apply(tensors([[1.0]]), [v])
    assert v.numpy().tolist() == [-1.5]


def test_averages_are_not_assigned_before_the_first_update():
    optimizer = optimizers.SGD(1.0, use_ema=True, gradient_accumulation_steps=2)
    vs = variables()
    optimizer.apply(tensors(G), vs)
    optimizer.finalize_variable_values(vs)
    assert_close([v.numpy() for v in vs], [[[1.0, 1.0]], [1.0]])


# The learning rate


def test_the_learning_rate_can_be_set():
    optimizer, (v,) = optimizers.SGD(1.0), variables([0.0])
    optimizer.apply(tensors([[1.0]]), [v])
    optimizer.learning_rate = 0.25
    optimizer.apply(tensors([[1.0]]), [v])
    assert v.numpy().tolist() == [-1.25]
    assert float(optimizer.learning_rate.numpy()) == 0.25


def test_a_schedule_counts_the_steps():
    schedule = optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])
    optimizer, (v,) = optimizers.SGD(schedule), variables([0.0])
    seen = []
    for _ in range(3):
        seen.append(float(optimizer.learning_rate))
        optimizer.apply(tensors([[1.0]]), [v])
    assert seen == [1.0, 0.5, 0.25]
    assert v.numpy().tolist() == [-1.75]
    assert len(optimizer.variables) == 1  # the counter: there is no rate to keep


def test_a_callable_learning_rate_is_called_each_step():
    rates = iter([1.0, 0.5])
    optimizer, (v,) = optimizers.SGD(lambda: next(rates)), variables([0.0])
    for _ in range(2):
        optimizer.apply(tensors([[1.0]]), [v])
    assert v.numpy().tolist() == [-1.5]


def test_a_schedule_cannot_be_set_to_a_number_but_to_another_schedule():
    first = optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    optimizer = optimizers.SGD(first)
    with pytest.raises(TypeError, match="was created with a schedule"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = optimizers.schedules.InverseTimeDecay(0.5, 1, 1.0)
    assert float(optimizer.learning_rate) == 0.5
    optimizer = optimizers.SGD(0.1)
    optimizer.learning_rate = first
    assert [v.name for v in optimizer.variables] == ["iteration"]


# Custom optimizers


class Momentum(optimizers.Optimizer):
    """As the documentation of Keras shows it: build and update_step."""

    def build(self, variables):
        super().build(variables)
        self.momentums = [
            self.add_variable_from_reference(reference_variable=v, name="momentum")
            for v in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, ops.subtract(ops.multiply(m, 0.9), ops.multiply(gradient, learning_rate)))
        self.assign_add(variable, m)


class Signed(optimizers.Adam):
    """A built-in optimizer with another update_step."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * ops.sign(gradient))


class Halved(optimizers.Optimizer):
    """A custom optimizer with an update rule."""

    def update_rule(self, xp, w, g, slots, lr, step):
        return xp.sub_scaled(w, g / 2, lr), slots


@pytest.mark.parametrize("accumulate", [None, 2])
def test_custom_update_step(accumulate):
    vs, same = variables(), variables()
    own = Momentum(0.1, weight_decay=0.1, gradient_accumulation_steps=accumulate)
    built_in = optimizers.SGD(
        0.1, momentum=0.9, weight_decay=0.1, gradient_accumulation_steps=accumulate
    )
    for _ in range(4):
        own.apply(tensors(G), vs)
        built_in.apply(tensors(G), same)
    assert_close([v.numpy() for v in vs], [v.numpy() for v in same])


def test_custom_update_step_of_a_builtin_optimizer():
    vs = variables()
    Signed(0.25).apply(tensors(G), vs)
    assert_close([v.numpy() for v in vs], [[[0.75, 1.25]], [0.75]])


def test_custom_update_rule():
    vs = variables()
    Halved(1.0).apply(tensors(G), vs)
    assert_close([v.numpy() for v in vs], [1 - g / 2 for g in G])


def test_an_optimizer_without_update_rule_raises():
    with pytest.raises(TypeError, match=r"no update_step\(\) or update_rule\(\) method"):
        optimizers.Optimizer(0.1).apply(tensors(G), variables())


def test_variables_before_the_constructor_are_rejected():
    class Hasty(optimizers.SGD):
        def __init__(self):
            self.extra = Variable(1.0)
            super().__init__()

    with pytest.raises(RuntimeError, match=re.escape("super().__init__()")):
        Hasty()


def test_variables_set_as_attributes_are_kept():
    optimizer = optimizers.SGD()
    optimizer.extra = Variable(1.0, name="extra")
    optimizer.extra = optimizer.extra
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate", "extra"]


# Constraints, overwriting, missing gradients


def test_constraints_hold_after_the_step():
    vs = variables()
    vs[0].constraint = lambda w: ops.clip(w, 0.0, 2.0)
    optimizers.SGD(1.0).apply(tensors(G), vs)
    assert_close([v.numpy() for v in vs], [[[0.0, 2.0]], [-11.0]])


def test_some_variables_are_overwritten_with_their_gradients():
    vs = variables()
    vs[1].overwrite_with_gradient = True
    optimizer = optimizers.Adam(1.0, weight_decay=0.5, global_clipnorm=1e-3)
    optimizer.apply(tensors(G), vs)
    assert vs[1].numpy().tolist() == [12.0]
    assert not any("bias" in v.name for v in optimizer.variables)


def test_overwriting_takes_the_maximum_under_accumulation():
    (v,) = variables([1.0])
    v.overwrite_with_gradient = True
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=3)
    seen = []
    for g in (2.0, 5.0, 3.0, 1.0):
        optimizer.apply(tensors([[g]]), [v])
        seen.append(float(v.numpy()[0]))
    assert seen == [1.0, 1.0, 5.0, 5.0]


def test_variables_without_a_gradient_are_skipped_with_a_warning():
    vs = variables()
    with pytest.warns(UserWarning, match=r"do not exist for variables \['dense/bias'\]"):
        optimizers.Adam(1.0).apply([*tensors(G[:1]), None], vs)
    assert vs[1].numpy().tolist() == [1.0]
    assert (vs[0].numpy() != 1.0).all()


def test_no_gradients_are_an_error_but_no_variables_are_not():
    with pytest.raises(ValueError, match="no gradients for any variable"):
        optimizers.SGD().apply([None, None], variables())
    optimizer = optimizers.SGD()
    optimizer.apply([], [])
    assert int(optimizer.iterations.numpy()) == 0


def test_apply_gradients_takes_pairs_and_returns_the_counter():
    vs = variables()
    optimizer = optimizers.SGD(1.0)
    result = optimizer.apply_gradients(zip(tensors(G), vs, strict=True))
    assert int(result.numpy()) == 1
    assert_close([v.numpy() for v in vs], [1 - g for g in G])


def test_a_part_of_the_variables_can_be_updated():
    vs = variables()
    optimizer = optimizers.Adam(1.0)
    optimizer.build(vs)
    optimizer.apply(tensors(G[1:]), [vs[1]])
    assert vs[0].numpy().tolist() == [[1.0, 1.0]]
    assert (vs[1].numpy() < 1e-3).all()


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one kind of clipping"),
        ({"global_clipnorm": 1.0, "clipvalue": 1.0}, "only one kind of clipping"),
        ({"clipnorm": -1.0}, "clipnorm as a positive number"),
        ({"clipvalue": "small"}, "clipvalue as a positive number"),
        ({"gradient_accumulation_steps": 1}, "integer >= 2"),
        ({"gradient_accumulation_steps": 2.5}, "integer >= 2"),
        ({"use_ema": True, "ema_momentum": 1.1}, "ema_momentum between 0 and 1"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "integer >= 1"),
        ({"decay": 0.1}, r"not recognized: \{'decay'"),
        ({"speed": 1}, r"not recognized: \{'speed'"),
        ({"learning_rate": "fast"}, "learning_rate as a float"),
        ({"learning_rate": None}, "learning_rate as a float"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(**options)


def test_bad_arguments_of_single_optimizers():
    for make, message in [
        (lambda: optimizers.SGD(momentum=1.5), "momentum between 0 and 1"),
        (lambda: optimizers.Lion(beta_1=0.0), "beta_1 in"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1.0), "strengths of 0 or more"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "learning_rate_power of 0 or less"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay as a float"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_gradients_that_match_no_variables():
    optimizer, vs = optimizers.SGD(), variables()
    with pytest.raises(ValueError, match="is not built"):
        optimizer.apply(tensors(G))
    optimizer.build(vs)
    with pytest.raises(ValueError, match="2 gradients, one for each variable"):
        optimizer.apply(tensors(G[:1]))
    with pytest.raises(ValueError, match="unknown variable 'dense/kernel'"):
        optimizer.apply(tensors(G), variables())
    assert vs[0].numpy().tolist() == [[1.0, 1.0]]


def test_stateless_apply_checks_its_lists():
    optimizer, vs = optimizers.SGD(), variables()
    with pytest.raises(ValueError, match="an optimizer that is built"):
        optimizer.stateless_apply([], tensors(G), [])
    optimizer.build(vs)
    state = [v.value for v in optimizer.variables]
    with pytest.raises(ValueError, match="trainable_variables of 2 values"):
        optimizer.stateless_apply(state, tensors(G), [])
    with pytest.raises(ValueError, match="optimizer_variables of 2 values"):
        optimizer.stateless_apply(state[:1], tensors(G), [v.value for v in vs])


def test_a_stateless_scope_holds_all_changes():
    optimizer, vs = optimizers.Adam(0.1), variables()
    optimizer.build(vs)
    with StatelessScope() as scope:
        optimizer.apply(tensors(G))
    assert vs[0].numpy().tolist() == [[1.0, 1.0]]
    assert int(optimizer.iterations.numpy()) == 0
    assert len(scope.written) == len(vs) + len(optimizer.variables) - 1  # all but the rate


# Names, weights, files

# The variables of Keras 3.15.1, noted from it for a kernel and a bias.
NAMES = {
    "SGD": ("", []),
    "RMSprop": ("rm_sprop", [["velocity"]]),
    "Adam": ("adam", [["momentum", "velocity"]]),
    "AdamW": ("adam_w", [["momentum", "velocity"]]),
    "Adagrad": ("adagrad", [["accumulator"]]),
    "Adadelta": ("adadelta", [["accumulated_grad", "accumulated_delta_var"]]),
    "Adamax": ("adamax", [["momentum", "norm"]]),
    "Lion": ("lion", [["momentum"]]),
    "Lamb": ("lamb", [["momentum", "velocity"]]),
    "Ftrl": ("ftrl", [["accumulator", "linear"]]),
    "ScheduleFreeAdamW": ("schedule_free_adam_w", [["momentum", "velocity"]]),
}


def slot_paths(name, groups):
    return [f"{name}/dense_{v}_{s}" for group in groups for v in ("kernel", "bias") for s in group]


@pytest.mark.parametrize("cls", [c for c in ALL if c.__name__ in NAMES])
def test_variables_have_the_names_and_order_of_keras(cls):
    reset_names()
    name, groups = NAMES[cls.__name__]
    optimizer = cls()
    optimizer.build(variables())
    name = name or "sgd"
    start = [f"{name}/iteration", f"{name}/learning_rate"]
    assert [v.path for v in optimizer.variables] == start + slot_paths(name, groups)
    assert not any(v.trainable for v in optimizer.variables)


@pytest.mark.parametrize(
    ("make", "groups"),
    [
        (lambda: optimizers.SGD(momentum=0.9, name="o"), [["momentum"]]),
        (
            lambda: optimizers.RMSprop(momentum=0.9, centered=True, name="o"),
            [["velocity"], ["momentum"], ["average_gradient"]],
        ),
        (
            lambda: optimizers.Adam(amsgrad=True, name="o"),
            [["momentum", "velocity"], ["velocity_hat"]],
        ),
        (
            lambda: optimizers.Adam(use_ema=True, gradient_accumulation_steps=2, name="o"),
            [["average"], ["gradient_accumulator"], ["momentum", "velocity"]],
        ),
    ],
)
def test_options_add_variables_in_the_order_of_keras(make, groups):
    optimizer = make()
    optimizer.build(variables())
    assert [v.path for v in optimizer.variables][2:] == slot_paths("o", groups)


def test_one_initializer_for_each_name():
    optimizer, vs = optimizers.SGD(), variables()
    ones, zeros = optimizer.add_optimizer_variables(vs, ["a", "b"], ["ones", "zeros"])
    assert ones[0].numpy().tolist() == [[1.0, 1.0]]
    assert zeros[1].numpy().tolist() == [0.0]
    with pytest.raises(ValueError, match="one initializer, or one for each of the 2 names"):
        optimizer.add_optimizer_variables(vs, ["a", "b"], ["ones"])


@pytest.mark.parametrize("cls", ALL)
def test_state_round_trips_through_a_store(cls):
    rng = np.random.default_rng(2)
    steps = [[rng.normal(size=(1, 2)), rng.normal(size=1)] for _ in range(4)]
    vs, optimizer = variables(), cls(learning_rate=0.1)
    for grads in steps[:2]:
        optimizer.apply(tensors(grads), vs)
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(i) for i in range(len(optimizer.variables))]
    assert int(store["0"]) == 2
    np.testing.assert_allclose(store["1"], 0.1, rtol=1e-6)
    copies = variables(*[v.numpy() for v in vs])
    other = cls.from_config(cls(learning_rate=0.3).get_config())
    other.build(copies)
    other.load_own_variables(store)
    for grads in steps[2:]:
        optimizer.apply(tensors(grads), vs)
        other.apply(tensors(grads), copies)
    assert_close([v.numpy() for v in copies], [v.numpy() for v in vs], rtol=0)


def test_a_store_of_another_size_is_skipped_with_a_warning():
    optimizer = optimizers.Adam()
    optimizer.build(variables())
    with pytest.warns(UserWarning, match="has 6 variables, the file 1"):
        optimizer.load_own_variables({"0": np.array(5)})
    assert int(optimizer.iterations.numpy()) == 0


def test_set_weights():
    optimizer = optimizers.SGD(momentum=0.9)
    with pytest.raises(ValueError, match="an optimizer that is built"):
        optimizer.set_weights([])
    optimizer.build(variables())
    optimizer.set_weights([7, 0.5, np.ones((1, 2)), np.full(1, 2.0)])
    assert int(optimizer.iterations.numpy()) == 7
    assert optimizer.variables[3].numpy().tolist() == [2.0]
    with pytest.raises(ValueError, match="4 values"):
        optimizer.set_weights([7])
    with pytest.raises(ValueError, match="shape"):
        optimizer.set_weights([7, 0.5, np.ones((2, 2)), np.ones(1)])


def test_muon_leaves_some_variables_to_adam():
    with name_scope("net"):
        vs = [
            Variable(np.ones(shape, "float32"), name=name)
            for name, shape in [
                ("kernel", (2, 2)), ("embeddings", (2, 2)), ("head", (2, 2)), ("bias", (2,)),
            ]
        ]  # fmt: skip
    optimizer = optimizers.Muon(
        0.5, weight_decay=0.2, adam_weight_decay=0.4, exclude_layers=["he.d"]
    )
    optimizer.apply([ops.zeros_like(v.value) for v in vs], vs)
    slots = [v.name.removeprefix("net_") for v in optimizer.variables[2:]]
    names = ["kernel_momentum"]
    for name in ("embeddings", "head", "bias"):
        names += [f"{name}_momentum", f"{name}_velocity"]
    assert slots == names
    assert_close([v.numpy().ravel()[0] for v in vs], [0.9, 0.8, 0.8, 0.8])


def test_adafactor_keeps_means_only_where_there_are_axes():
    optimizer = optimizers.Adafactor()
    optimizer.build([Variable(np.ones((2, 3, 4), "float32")), Variable(np.ones(5, "float32"))])
    shapes = [v.shape for v in optimizer.variables[2:]]
    assert shapes == [(2, 3), (2, 4), (2, 3, 4), (), (), (5,)]


# The optimizer that scales the loss


def scaled(**options):
    return optimizers.LossScaleOptimizer(optimizers.SGD(1.0, momentum=0.5), **options)


def test_a_scaled_loss_results_in_the_same_steps():
    plain, small = variables(), variables()
    inner, optimizer = optimizers.SGD(1.0, momentum=0.5), scaled(initial_scale=8.0)
    for _ in range(3):
        inner.apply(tensors(G), plain)
        optimizer.apply([g * 8.0 for g in tensors(G)], small)
    assert_close([v.numpy() for v in small], [v.numpy() for v in plain])
    assert float(optimizer.scale_loss(ops.convert_to_tensor(3.0))) == 24.0
    assert int(optimizer.iterations.numpy()) == 3


def test_the_scale_grows_and_shrinks():
    optimizer, vs = scaled(initial_scale=4.0, dynamic_growth_steps=2), variables()
    bad = [G[0], [np.inf]]
    seen = []
    for grads in (G, G, G, bad, G, bad, [[[np.nan, 0.0]], G[1]]):
        before = [v.numpy() for v in vs]
        optimizer.apply(tensors(grads), vs)
        if grads is not G:
            assert_close([v.numpy() for v in vs], before, rtol=0)
        seen.append(float(optimizer.dynamic_scale.numpy()))
    assert seen == [4.0, 8.0, 8.0, 4.0, 4.0, 2.0, 1.0]
    assert int(optimizer.iterations.numpy()) == 4
    assert all(np.isfinite(v.numpy()).all() for v in optimizer.variables)


def test_the_scaling_optimizer_is_a_pure_function_too():
    optimizer, vs = scaled(initial_scale=4.0), variables()
    optimizer.build(vs)
    state = [v.value for v in optimizer.variables]
    values, state = optimizer.stateless_apply(state, tensors(G), [v.value for v in vs])
    assert_close(map(ops.convert_to_numpy, values), [1 - g / 4 for g in G])
    assert vs[0].numpy().tolist() == [[1.0, 1.0]]
    assert len(state) == len(optimizer.variables)


def test_the_scaling_optimizer_passes_on_its_learning_rate_and_config():
    optimizer = scaled(initial_scale=4.0, dynamic_growth_steps=7, name="outer")
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate.numpy()) == 0.25
    config = optimizers.serialize(optimizer)
    assert sorted(config["config"]) == [
        "dynamic_growth_steps", "initial_scale", "inner_optimizer", "name",
    ]  # fmt: skip
    again = optimizers.deserialize(config)
    assert again.get_config() == optimizer.get_config()
    old = {**optimizer.get_config(), "use_ema": False, "clipnorm": None, "dynamic": True}
    assert optimizers.LossScaleOptimizer.from_config(old).initial_scale == 4.0
    with pytest.raises(ValueError, match="to the inner optimizer"):
        scaled(clipnorm=1.0)


# Configs

# The arguments that Keras 3.15.1 writes in addition to the shared ones.
OWN = {
    "SGD": {"momentum": 0.0, "nesterov": False},
    "RMSprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": False},
    "Adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False},
    "AdamW": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False},
    "Adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-07},
    "Adadelta": {"rho": 0.95, "epsilon": 1e-07},
    "Adamax": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07},
    "Nadam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07},
    "Lion": {"beta_1": 0.9, "beta_2": 0.99},
    "Lamb": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07},
    "Adafactor": {
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 0.001,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
    "Muon": {
        "adam_beta_1": 0.9,
        "adam_beta_2": 0.999,
        "epsilon": 1e-07,
        "exclude_layers": [],
        "muon_a": 3.4445,
        "muon_b": -4.775,
        "muon_c": 2.0315,
        "adam_lr_ratio": 1,
        "momentum": 0.95,
        "ns_steps": 5,
        "nesterov": True,
        "exclude_embeddings": True,
        "adam_weight_decay": 0.004,
        "rms_rate": 0.2,
    },
    "Ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    },
    "ScheduleFreeAdamW": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-08, "warmup_steps": 0},
}
RATES = {"SGD": 0.009999999776482582, "ScheduleFreeAdamW": 0.0024999999441206455}


@pytest.mark.parametrize("cls", [c for c in ALL if c.__name__ in OWN])
def test_configs_match_keras(cls):
    expected = {
        "name": "o",
        "learning_rate": RATES.get(cls.__name__, 0.0010000000474974513),
        "weight_decay": 0.004 if cls.__name__ in ("AdamW", "Muon") else None,
        "clipnorm": None,
        "global_clipnorm": None,
        "clipvalue": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
        **OWN[cls.__name__],
    }
    config = cls(name="o").get_config()
    assert config == expected
    assert list(config) == list(expected)


@pytest.mark.parametrize("cls", ALL)
def test_serialization_round_trips(cls):
    options = {"clipnorm": 0.5, "use_ema": True, "ema_overwrite_frequency": 4, "name": "mine"}
    optimizer = cls(learning_rate=0.25, **options)
    config = optimizers.serialize(optimizer)
    assert config["module"] == "keras.optimizers"
    assert config["class_name"] == cls.__name__
    again = optimizers.deserialize(config)
    assert type(again) is cls
    assert again.get_config() == optimizer.get_config()


def test_schedules_are_serialized_in_the_config():
    schedule = optimizers.schedules.CosineDecay(0.1, 10, warmup_target=0.5, warmup_steps=3)
    optimizer = optimizers.Adam(schedule)
    config = optimizers.serialize(optimizer)
    inner = config["config"]["learning_rate"]
    assert inner["module"] == "keras.optimizers.schedules"
    assert inner["class_name"] == "CosineDecay"
    again = optimizers.deserialize(config)
    assert again._learning_rate.get_config() == schedule.get_config()
    assert config["config"]["learning_rate"] is inner  # the config is left as it was


def test_a_function_as_learning_rate_is_found_by_its_name():
    def half():
        return 0.5

    with CustomObjectScope({"half": half}):
        optimizer = optimizers.deserialize(optimizers.serialize(optimizers.SGD(half)))
    assert optimizer.learning_rate == 0.5


def test_a_custom_optimizer_is_found_by_its_name():
    config = optimizers.serialize(Momentum(0.5))
    with CustomObjectScope({"Momentum": Momentum}):
        assert type(optimizers.deserialize(config)) is Momentum
    assert type(optimizers.deserialize(config, custom_objects={"Momentum": Momentum})) is Momentum


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM"])
def test_get_ignores_the_case_of_names(name):
    assert type(optimizers.get(name)) is optimizers.Adam


def test_get_takes_configs_optimizers_and_none():
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is None
    assert type(optimizers.get(optimizers.serialize(optimizer))) is optimizers.SGD
    with pytest.raises(ValueError, match="a name, a config or an optimizer"):
        optimizers.get(3)
    with pytest.raises((ValueError, TypeError), match="nonsense"):
        optimizers.get("nonsense")


def test_nothing_warns_in_an_ordinary_step():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizers.Adam(0.1).apply(tensors(G), variables())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(weight_decay="a"), "weight_decay as a number or None"),
        (lambda: optimizers.SGD(use_ema="yes"), "use_ema as True or False"),
        (lambda: optimizers.SGD(use_ema=True, ema_momentum="a"), "ema_momentum as a number"),
        (lambda: optimizers.SGD(loss_scale_factor="x"), "loss_scale_factor as a number"),
        (lambda: optimizers.Adam(beta_1="x"), "beta_1 as a number"),
        (lambda: optimizers.Adam(epsilon=None), "epsilon as a number"),
        (lambda: optimizers.Adam(amsgrad="yes"), "amsgrad as True or False"),
        (lambda: optimizers.LossScaleOptimizer("sgd"), "inner_optimizer as an optimizer"),
    ],
)
def test_arguments_of_another_type_are_refused_before_the_first_step(make, message):
    with pytest.raises(TypeError, match=f"expected: {message}"):
        make().build(variables())


def test_the_old_name_of_the_learning_rate_is_refused_with_the_new_one():
    with pytest.raises(ValueError, match="use learning_rate"):
        optimizers.Adam(lr=0.1)
