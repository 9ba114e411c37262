"""Activation layers with arguments."""
