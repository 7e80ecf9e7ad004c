"""``python -m workers``: one worker process."""

import gc
import logging
import os
import sys

from tasks.config.settings import load
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.process import title
from tasks.process.open_files import raise_limit, too_few
from tasks.session import SessionKey
from tasks.telemetry.logs import configure_logging, traced

log = logging.getLogger("cohort.worker")


def main() -> int:
    """Run a worker; 2 when a setting is wrong, 1 when it could not start for now."""
    # What is loaded here stays to the end, so searching it for garbage only costs: an eighth of the imports.
    # workers.process.app.freeze_startup_objects starts the collector.
    gc.disable()
    title.show("worker")
    try:
        settings = load()
        configure_logging(settings)
        if few := too_few(raise_limit()):
            log.warning("files.few", extra={"problem": few})
        # The runtime takes seconds to import; a wrong setting is told at once.
        from workers.process import app, own  # noqa: PLC0415

        session = os.environ.pop(own.SESSION, "")  # what a worker starts inherits its environment
        with traced(settings, "worker", settings.incarnation):
            own.run(settings, SessionKey.parse(session)) if session else app.run(settings)
    except Misconfigured as problem:
        for line in str(problem).splitlines():
            print(f"cohort worker: {line}", file=sys.stderr)  # noqa: T201 - the operator's one clear line
        return 2
    except StoreUnavailable as problem:
        print(f"cohort worker: {problem}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
