"""Rows of attention layers."""

from layer_cases.case import LayerCase

CASES: list[LayerCase] = []
