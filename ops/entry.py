"""The ``cohort`` program. Where it starts workers it begins to load what they need before it loads its own modules.

Both take seconds, and there is a core for each.
"""

import os
import sys

from ops.namesakes import namesake


def main() -> None:
    """The entry point."""
    if (theirs := namesake(os.environ)) is not None:
        print(f"cohort: {theirs}", file=sys.stderr)
        sys.exit(2)
    from tasks.process.open_files import raise_limit  # noqa: PLC0415 - only now: a namesake of it may be found

    raise_limit()  # what is started inherits it, and this: only their owner may read what is written
    os.umask(0o077)
    template = None
    own = sys.argv[1:3] == ["worker", "--own"]
    if (own or sys.argv[1:2] == ["up"]) and "--help" not in sys.argv:
        from ops.early import begin  # noqa: PLC0415 - other commands do not need it
        from tasks.process import title  # noqa: PLC0415 - the same

        title.show("own host" if own else "up")
        template = begin(os.environ)
    from ops.cli import main as command  # noqa: PLC0415 - only now: see above

    command(template)


if __name__ == "__main__":
    main()
