"""keras_fn: the Keras 3 API over JAX, PyTorch or TensorFlow. `import keras_fn as keras`."""
