"""Core layers: inputs, dense layers, embeddings, activations, wrappers."""
