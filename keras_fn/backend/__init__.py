"""Floor 0: the contract with backends and their loader; and, as a face, `keras.backend`."""
