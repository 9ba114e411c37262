"""Notes what real Keras makes of the rows of some families, or of all."""

import sys

from layer_cases import FAMILIES
from layer_cases.facts import note

for name in sys.argv[1:] or FAMILIES:
    note(name, FAMILIES[name])
