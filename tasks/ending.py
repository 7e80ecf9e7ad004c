"""The signals that end a process: the first lets its work finish, another one does not wait."""

import signal


def ending_signals() -> tuple[signal.Signals, ...]:
    """SIGTERM, SIGINT and SIGHUP, which comes when a terminal closes.

    A process that was started with SIGHUP ignored (by nohup) goes on ignoring it.
    """
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hangup)
