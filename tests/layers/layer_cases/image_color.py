"""Rows of image layers that change or mix colors."""

from layer_cases.case import LayerCase

CASES: list[LayerCase] = []
