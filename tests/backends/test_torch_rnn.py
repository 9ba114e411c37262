"""The gradients of a masked GRU on PyTorch, whose steps have a gradient function of their own."""

import os

import pytest

if os.environ.get("KERAS_BACKEND") != "torch":
    pytest.skip("The backend under test is not torch.", allow_module_level=True)

import torch

from keras_fn_torch.rnn import gru

MASK = torch.tensor([[True, False, True], [False, False, False], [True, True, False]])


def draw(*shape: int) -> torch.Tensor:
    x = torch.sin(torch.arange(torch.Size(shape).numel(), dtype=torch.float64) * 1.7)
    return x.reshape(shape).requires_grad_()


ARGUMENTS = [draw(3, 3, 2), draw(3, 2), draw(2, 6), draw(2, 6), draw(2, 6)]


@pytest.mark.parametrize("count", [4, 5])  # without and with a bias
def test_first_and_second_derivatives_are_those_of_differences(count):
    def run(*arguments):
        return gru(*arguments, mask=MASK)

    assert torch.autograd.gradcheck(run, ARGUMENTS[:count])
    assert torch.autograd.gradgradcheck(run, ARGUMENTS[:count])


def test_transforms_of_functions_differentiate_it():
    rest = [x.detach() for x in ARGUMENTS[1:]]
    x = ARGUMENTS[0].detach()

    def total(x):
        return gru(x, *rest, mask=MASK)[1].sum()

    slopes = torch.func.grad(total)(x)
    _, change = torch.func.jvp(total, (x,), (torch.ones_like(x),))
    torch.testing.assert_close(change, slopes.sum())
    expected = torch.autograd.grad(gru(*ARGUMENTS, mask=MASK)[1].sum(), ARGUMENTS[0])[0]
    torch.testing.assert_close(slopes, expected)
