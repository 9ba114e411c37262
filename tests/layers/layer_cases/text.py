"""Rows of layers of strings and of lookup."""

from layer_cases.case import LayerCase

CASES: list[LayerCase] = []
