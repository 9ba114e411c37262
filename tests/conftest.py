"""What all tests share. A test runs on whichever backend KERAS_BACKEND names."""

import os
import tempfile

# The user's own config must not decide what is tested.
os.environ.setdefault("KERAS_HOME", tempfile.mkdtemp(prefix="keras_home_"))
