"""Utilities for data, files and models."""
