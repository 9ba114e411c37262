"""Muon."""

from collections.abc import Sequence
from typing import Any

from keras_fn import _regex, ops
from keras_fn.optimizers.adam import adam_moments
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Muon(Optimizer):
    """Momentum whose steps are made orthogonal, for matrices; AdamW for all other variables.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        adam_beta_1: `beta_1` of AdamW.
        adam_beta_2: `beta_2` of AdamW.
        adam_weight_decay: The weight decay of what AdamW updates.
        epsilon: `epsilon` of AdamW.
        weight_decay: The weight decay of matrices.
        exclude_layers: Regular expressions: AdamW updates matrices in whose path one is found.
        exclude_embeddings: Whether AdamW updates matrices with "embedding" in their path.
        muon_a: The coefficient of `x` in the iteration that makes steps orthogonal.
        muon_b: That of `x x' x`.
        muon_c: That of `x x' x x' x`.
        adam_lr_ratio: The learning rate of AdamW, relative to that of matrices.
        momentum: How much of the sum of gradients stays, each step.
        ns_steps: How often that iteration is run.
        nesterov: Whether the gradient is added once more to the sum.
        rms_rate: If not None, steps are multiplied by this and the root of the matrix's larger
            size, so that learning rates of AdamW serve.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Muon(0.1, weight_decay=None)
        >>> v = keras.Variable([[2.0, 0.0], [0.0, 2.0]])
        >>> optimizer.apply([ops.convert_to_tensor([[1.0, 0.0], [0.0, 1.0]])], [v])
        >>> bool((v.numpy().diagonal() < 2.0).all())
        True

    References:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
        https://kellerjordan.github.io/posts/muon/
        Liu et al., "Muon is Scalable for LLM Training", 2025 (rms_rate).
        https://arxiv.org/abs/2502.16982
    """

    arguments = (
        "adam_beta_1",
        "adam_beta_2",
        "epsilon",
        "exclude_layers",
        "muon_a",
        "muon_b",
        "muon_c",
        "adam_lr_ratio",
        "momentum",
        "ns_steps",
        "nesterov",
        "exclude_embeddings",
        "adam_weight_decay",
        "rms_rate",
    )
    elementwise = False

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _uses_adamw(self, variable: Any) -> bool:
        """Whether AdamW updates a variable."""
        path = variable.path
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(_regex.search(pattern, path) for pattern in self.exclude_layers)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Returns an optimizer made from what `get_config` gave, without its state.

        Args:
            config: The config.
            custom_objects: Names of classes and functions of your own.
        """
        for pattern in config.get("exclude_layers") or ():
            _regex.check(pattern, "Muon")
        return super().from_config(config, custom_objects)

    def _weight_decay_of(self, variable: Any) -> float | None:
        if not self._use_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._uses_adamw(variable) else self.weight_decay

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            rows = [self._make_slots(v) for v in variables]
            self._slot_lists = [list(column) for column in zip(*rows, strict=True)]

    def _make_slots(self, variable: Any) -> list[Any]:
        """Makes the momentum, and for AdamW the velocity, too."""
        if getattr(variable, "overwrite_with_gradient", False):
            return [None, None]
        momentum = self.add_variable_from_reference(variable, "momentum")
        if not self._uses_adamw(variable):
            return [momentum, None]
        return [momentum, self.add_variable_from_reference(variable, "velocity")]

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """AdamW where there is a velocity; else an orthogonal step along the momentum."""
        if len(slots) == 2:
            m, v = slots
            m, v, alpha = adam_moments(
                xp, g, m, v, lr * self.adam_lr_ratio, step, self.adam_beta_1, self.adam_beta_2
            )
            return xp.sub_scaled_ratio(w, m, xp.sqrt(v) + self.epsilon, alpha), (m, v)
        m = slots[0] * self.momentum + g
        update = self._newton_schulz(g + m * self.momentum if self.nesterov else m)
        if self.rms_rate is not None:
            update = update * (max(g.shape) ** 0.5 * self.rms_rate)
        return xp.sub_scaled(w, update, lr), (m,)

    def _newton_schulz(self, x: Tensor) -> Tensor:
        """Returns nearly the orthogonal matrix next to `x`, by a Newton-Schulz iteration."""
        tall = x.shape[0] > x.shape[1]
        if tall:
            x = ops.transpose(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)  # no singular value is above 1 then
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            inner = square * self.muon_b + ops.matmul(square, square) * self.muon_c
            x = x * self.muon_a + ops.matmul(inner, x)
        return ops.transpose(x) if tall else x
