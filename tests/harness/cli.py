"""``python -m tests.harness.cli PYTHON ...``: the `cohort` command; what it starts, it starts with that ``PYTHON``."""

import runpy
import sys


def main() -> None:
    module, sys.executable, *arguments = sys.argv
    sys.argv = [module, *arguments]
    sys.modules.pop("ops.cli", None)  # It is run as __main__, from its first line.
    runpy.run_module("ops.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
