"""Rows of layers that hold a module of a framework."""

from layer_cases.case import LayerCase

CASES: list[LayerCase] = []
