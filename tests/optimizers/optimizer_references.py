"""The optimizers in NumPy, from the formulas of the papers, in 64 bits."""

import numpy as np


class Reference:
    """Runs `rule(state, w, g, t) -> w` on several arrays; `state` is a dict for each array."""

    def __init__(self, rule, rates=None):
        self.rule, self.rates, self.states, self.step = rule, rates, None, 0

    def __call__(self, weights, grads, rate=0.05):
        if self.states is None:
            self.states = [{} for _ in weights]
        self.step += 1
        return [
            self.rule(s, w.astype("float64"), g.astype("float64"), self.step, rate)
            for s, w, g in zip(self.states, weights, grads, strict=True)
        ]


def sgd(momentum=0.0, nesterov=False):
    def rule(s, w, g, t, lr):
        m = s["m"] = momentum * s.get("m", 0.0) - lr * g
        return w + (momentum * m - lr * g if nesterov else m)

    return Reference(rule)


def rmsprop(rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    def rule(s, w, g, t, lr):
        v = s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g**2
        a = s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g
        update = lr * g / np.sqrt(v - (a**2 if centered else 0.0) + epsilon)
        s["m"] = momentum * s.get("m", 0.0) + update
        return w - s["m"]

    return Reference(rule)


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    def rule(s, w, g, t, lr):
        m = s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
        v = s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
        if amsgrad:
            v = s["top"] = np.maximum(s.get("top", 0.0), v)
        rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return w - rate * m / (np.sqrt(v) + epsilon)

    return Reference(rule)


def adagrad(initial_accumulator_value=0.1, epsilon=1e-7):
    def rule(s, w, g, t, lr):
        s["a"] = s.get("a", initial_accumulator_value) + g**2
        return w - lr * g / np.sqrt(s["a"] + epsilon)

    return Reference(rule)


def adadelta(rho=0.95, epsilon=1e-7):
    def rule(s, w, g, t, lr):
        s["g"] = rho * s.get("g", 0.0) + (1 - rho) * g**2
        update = np.sqrt(s.get("u", 0.0) + epsilon) / np.sqrt(s["g"] + epsilon) * g
        s["u"] = rho * s.get("u", 0.0) + (1 - rho) * update**2
        return w - lr * update

    return Reference(rule)


def adamax(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def rule(s, w, g, t, lr):
        m = s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
        u = s["u"] = np.maximum(beta_2 * s.get("u", 0.0), np.abs(g))
        return w - lr / (1 - beta_1**t) * m / (u + epsilon)

    return Reference(rule)


def nadam(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def mu(t):
        return beta_1 * (1 - 0.5 * 0.96**t)

    def rule(s, w, g, t, lr):
        product = np.prod([mu(i) for i in range(1, t + 1)])
        m = s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
        v = s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
        mean = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        return w - lr * mean / (np.sqrt(v / (1 - beta_2**t)) + epsilon)

    return Reference(rule)


def lion(beta_1=0.9, beta_2=0.99):
    def rule(s, w, g, t, lr):
        m = s.get("m", 0.0)
        s["m"] = beta_2 * m + (1 - beta_2) * g
        return w - lr * np.sign(beta_1 * m + (1 - beta_1) * g)

    return Reference(rule)


def lamb(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def rule(s, w, g, t, lr):
        m = s["m"] = beta_1 * s.get("m", 0.0) + (1 - beta_1) * g
        v = s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
        u = m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        size, length = np.linalg.norm(w), np.linalg.norm(u)
        return w - lr * (size / length if size > 0 and length > 0 else 1.0) * u

    return Reference(rule)


def ftrl(power=-0.5, initial=0.1, l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0):
    def rule(s, w, g, t, lr):
        old = s.get("n", initial)
        new = s["n"] = old + g**2
        sigma = (new**-power - old**-power) / lr
        z = s["z"] = s.get("z", 0.0) + g + 2 * shrinkage * w - sigma * w
        divisor = new**-power / lr + 2 * (l2 + beta / (2 * lr))
        return np.where(np.abs(z) <= l1, 0.0, (np.sign(z) * l1 - z) / divisor)

    return Reference(rule)


def schedule_free(beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup=0):
    def rule(s, w, g, t, lr):
        z, x = s.get("z", w), s.get("x", w)
        lr = lr * min(t / warmup, 1.0) if warmup else lr
        v = s["v"] = beta_2 * s.get("v", 0.0) + (1 - beta_2) * g**2
        s["z"] = z = z - lr * g / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        s["x"] = x = x + (z - x) / t
        return (1 - beta_1) * z + beta_1 * x

    return Reference(rule)


def adafactor(beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0):
    def rms(x):
        return np.sqrt(np.mean(x**2))

    def rule(s, w, g, t, lr):
        decay, squares = 1 - t**beta_2_decay, g**2 + epsilon_1
        if w.ndim < 2:
            v = s["v"] = decay * s.get("v", 0.0) + (1 - decay) * squares
        else:
            r = s["r"] = decay * s.get("r", 0.0) + (1 - decay) * squares.mean(-1)
            c = s["c"] = decay * s.get("c", 0.0) + (1 - decay) * squares.mean(-2)
            v = r[..., None] * c[..., None, :] / r.mean(-1)[..., None, None]
        update = g / np.sqrt(v)
        update = update / max(1.0, rms(update) / clip_threshold)
        return w - max(epsilon_2, rms(w)) * min(lr, t**-0.5) * update

    return Reference(rule)


def muon(momentum=0.95, nesterov=True, rms_rate=0.2, steps=5, adam_rate=1.0):
    a, b, c = 3.4445, -4.775, 2.0315

    def rule(s, w, g, t, lr):
        if w.ndim != 2:
            return adam_rule(s, w, g, t, lr * adam_rate)
        m = s["m"] = momentum * s.get("m", 0.0) + g
        direction = g + momentum * m if nesterov else m
        # An odd polynomial of a matrix acts on its singular values alone.
        left, values, right = np.linalg.svd(direction, full_matrices=False)
        values = values / (np.linalg.norm(direction) + 1e-7)
        for _ in range(steps):
            values = a * values + b * values**3 + c * values**5
        size = 1.0 if rms_rate is None else np.sqrt(max(w.shape)) * rms_rate
        return w - lr * size * (left * values) @ right

    adam_rule = adam().rule
    return Reference(rule)
