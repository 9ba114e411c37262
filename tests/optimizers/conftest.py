import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `optimizer_references`, beside these tests
