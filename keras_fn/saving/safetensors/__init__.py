"""The safetensors format: a strict reader, a writer, and weights of models in it."""
