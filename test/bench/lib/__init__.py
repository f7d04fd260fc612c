"""Parts of the benchmark: what talks to the API server, what plays brokers, what looks at processes."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
OUT = ROOT / "build" / "bench"
BINARY = pathlib.Path(os.environ.get("RABBIT_OPERATOR_BINARY", ROOT / "build" / "release" / "bin" / "rabbit-operator"))
