"""`python -m keras_fn COMMAND ...` is the command `keras-fn COMMAND ...`."""

import sys

from keras_fn.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
