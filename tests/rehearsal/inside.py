"""``python -m tests.rehearsal.inside NAMESPACE DIRECTORY COMMAND ...``: run a command on a machine of the rehearsal."""

import os
import sys


def main() -> None:
    namespace, directory, *command = sys.argv[1:]
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    os.setns(handle, os.CLONE_NEWNET)
    os.close(handle)
    # Not where the project stands: an .env there is its owner's.
    os.chdir(directory)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
