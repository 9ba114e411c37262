"""Sharded checkpoints: folders that all processes write, and any number of them reads."""
