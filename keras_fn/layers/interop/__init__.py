"""Layers that wrap modules, functions and saved programs of the frameworks."""
