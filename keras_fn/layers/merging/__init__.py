"""Merging layers: several tensors to one."""
