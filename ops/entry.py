"""The ``cohort`` program. ``cohort up`` begins to load what workers need before it loads its own modules.

Both take seconds, and there is a core for each.
"""

import os
import sys


def main() -> None:
    """The entry point."""
    template = None
    if sys.argv[1:2] == ["up"] and "--help" not in sys.argv:
        from ops.early import begin  # noqa: PLC0415 - other commands do not need it
        from tasks import title  # noqa: PLC0415 - the same

        title.show("up")
        template = begin(os.environ)
    from ops.cli import main as command  # noqa: PLC0415 - only now: see above

    command(template)


if __name__ == "__main__":
    main()
