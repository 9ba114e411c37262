"""Pooling layers, over windows and global."""
