"""Muon optimizer."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from keras_fn import _regex, ops
from keras_fn.core.variable import Variable
from keras_fn.optimizers.adam import adam_moments
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Muon(Optimizer):
    """Muon optimizer: momentum orthogonalized by Newton-Schulz iterations; AdamW for non-matrices.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        adam_beta_1: Exponential decay rate for AdamW's first-moment estimates. Default 0.9.
        adam_beta_2: Exponential decay rate for AdamW's second-moment estimates. Default 0.999.
        adam_weight_decay: Weight decay of variables that AdamW updates. Default 0.004.
        epsilon: Small constant for numerical stability of AdamW. Default 1e-7.
        weight_decay: Weight decay of the matrices. Default 0.004.
        clipnorm: Maximum norm of each gradient. Default None.
        clipvalue: Maximum absolute value of the elements of a gradient. Default None.
        global_clipnorm: Maximum norm of all gradients together. Default None.
        use_ema: Whether to keep an exponential moving average of each variable. Default False.
        ema_momentum: Decay rate of that moving average. Default 0.99.
        ema_overwrite_frequency: Number of updates after which variables are set to their moving
            averages; None (default) for the end of `fit` only.
        loss_scale_factor: Factor by which the loss is multiplied and gradients are divided. Default
            None.
        gradient_accumulation_steps: Number of steps over which gradients are averaged before
            variables are updated. Default None.
        name: Name of the optimizer. Default: from the class name.
        exclude_layers: Regular expressions; AdamW updates matrices whose path contains a match.
            Default None.
        exclude_embeddings: Whether AdamW updates matrices with "embedding" in their path. Default
            True.
        muon_a: Coefficient of `x` in the Newton-Schulz iteration. Default 3.4445.
        muon_b: Coefficient of `x x' x`. Default -4.775.
        muon_c: Coefficient of `x x' x x' x`. Default 2.0315.
        adam_lr_ratio: Ratio of AdamW's learning rate to `learning_rate`. Default 1.
        momentum: Momentum of the accumulated gradient. Default 0.95.
        ns_steps: Number of Newton-Schulz iterations. Default 5.
        nesterov: Whether to apply Nesterov momentum. Default True.
        rms_rate: If not None, updates are scaled by this and the root of the matrix's larger size,
            to match the RMS of AdamW's updates. Default 0.2.

    Raises:
        ValueError: An argument is out of range or unknown, or several kinds of clipping are set.

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
        learning_rate: LearningRateLike = 0.001,
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
        **kwargs: Unpack[NoArguments],
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

    def _uses_adamw(self, variable: Variable) -> bool:
        """Whether AdamW updates a variable: it is not a matrix, or excluded."""
        path = variable.path
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(_regex.search(pattern, path) for pattern in self.exclude_layers)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Creates an optimizer from the dict that `get_config` returned, without its state.

        Args:
            config: The config.
            custom_objects: Custom classes and functions by name.

        Returns:
            The optimizer.

        Raises:
            ValueError: A pattern in `exclude_layers` is invalid.
        """
        for pattern in config.get("exclude_layers") or ():
            _regex.check(pattern, "Muon")
        return super().from_config(config, custom_objects)

    def _weight_decay_of(self, variable: Variable) -> float | None:
        if not self._use_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._uses_adamw(variable) else self.weight_decay

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            slots_by_variable = [self._make_slots(v) for v in variables]
            self._slot_lists = [list(slots) for slots in zip(*slots_by_variable, strict=True)]

    def _make_slots(self, variable: Variable) -> list[Variable | None]:
        """Creates the momentum, and for AdamW the velocity."""
        if getattr(variable, "overwrite_with_gradient", False):
            return [None, None]
        momentum = self.add_variable_from_reference(variable, "momentum")
        if not self._uses_adamw(variable):
            return [momentum, None]
        return [momentum, self.add_variable_from_reference(variable, "velocity")]

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """AdamW for variables with a velocity; else an orthogonalized momentum step."""
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
        """Approximates the nearest orthogonal matrix to `x` by Newton-Schulz iterations."""
        is_tall = x.shape[0] > x.shape[1]
        if is_tall:
            x = ops.transpose(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)  # so that singular values are at most 1
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            inner = square * self.muon_b + ops.matmul(square, square) * self.muon_c
            x = x * self.muon_a + ops.matmul(inner, x)
        return ops.transpose(x) if is_tall else x
