"""Layers that every model has: inputs, dense maps, embeddings, activations."""
