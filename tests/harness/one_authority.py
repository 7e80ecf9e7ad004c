"""One authority for all processes of a run: a TLS context reads 140 in 25 ms, and each pool of connections makes one.

What tests talk to over TLS has authorities of its own (``tests/support/authority.py``).
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
import pytest

ROOTS = "SSL_CERT_FILE"
_OURS = "TEST_ONE_AUTHORITY"
"""The environment's name for what this process, or the one that began it, has put there."""
_END = "-----END CERTIFICATE-----\n"


def begin(config: pytest.Config) -> None:
    """Have this process, and all that it begins, know one authority."""
    if os.environ.get(_OURS) == os.environ.get(ROOTS, ""):
        return
    folder = TemporaryDirectory(prefix="cohort-roots-")
    config.add_cleanup(folder.cleanup)
    path = Path(folder.name) / "roots.pem"
    path.write_text(Path(certifi.where()).read_text().partition(_END)[0] + _END)
    os.environ[ROOTS] = os.environ[_OURS] = str(path)
