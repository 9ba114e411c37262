"""Rows of image layers that move pixels."""

from layer_cases.case import LayerCase

CASES: list[LayerCase] = []
