"""`python -m benchmark` and `accelerate launch -m benchmark` are the `benchmark` command."""

import sys

from benchmark.cli.main import main

sys.exit(main())
