"""What an error of Redis means for an operator (pure)."""

import re
import socket
import ssl

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

_CLUSTER = "this is a Redis Cluster, which Cohort does not use: give one Redis, or one behind Sentinel"
_UNKNOWN = re.compile(r"unknown (?:sub)?command ['`]?([\w|]+)")
_CLUSTERED = ("cluster mode", "CROSSSLOT", "hash to the same slot")


def unreachable(problem: Exception) -> str:
    """Why Redis could not be asked just now, with what to do where the error does not say it."""
    under = problem.__cause__ or problem.__context__ or problem
    if isinstance(problem, exceptions.AuthenticationError):
        # Redis explains its protocol to one that gave no password.
        why = "it wants one" if "HELLO must be called" in str(problem) else said_by(problem).rstrip(".")
        return f"it refuses the user or password of REDIS_URL: {why}"
    if isinstance(problem, MasterNotFoundError):
        asked = problem.__cause__
        said = (
            unreachable(asked)
            if isinstance(asked, exceptions.RedisError)
            else "none knows a living master of that name"
        )
        return f"its Sentinels: {said}"
    if isinstance(problem, exceptions.InvalidResponse):
        return "what answers there is no Redis"
    if isinstance(problem, exceptions.TimeoutError) and "connecting" in str(problem):
        return "TimeoutError: no answer when connecting; so does a port without TLS for rediss://"
    if "max number of clients" in str(problem):
        return "it has no place for a further client: raise its maxclients"
    if isinstance(under, ssl.SSLError):
        return f"TLS: {_handshake(under)}"
    return next((said for kind, said in _SYSTEM.items() if isinstance(under, kind)), type(problem).__name__)


_SYSTEM = {
    socket.gaierror: "the name of its host cannot be found",
    FileNotFoundError: "TLS: the file of ssl_ca_certs, ssl_certfile or ssl_keyfile does not exist",
    ConnectionRefusedError: "ConnectionRefusedError: nothing listens on this host and port",
    ConnectionResetError: "ConnectionResetError: it closed the connection; so does a TLS port for redis://",
}


def _handshake(problem: ssl.SSLError) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"{problem.verify_message} (its CA: rediss://...?ssl_ca_certs=FILE)"
    if "WRONG_VERSION" in str(problem):
        return "this port speaks no TLS (use redis://, or the port for TLS)"
    return str(problem.reason)


def wrong(problem: exceptions.ResponseError) -> str | None:
    """What an operator has to change before Redis does what it is asked; None: nothing."""
    said = str(problem)
    if isinstance(problem, exceptions.NoPermissionError):
        return f"its user may not do all that Cohort does ({said_by(problem)}); docs/operating.md has the ACL"
    if "DB index is out of range" in said:
        return "it has no database of that number (`databases` in its configuration; a Redis Cluster has only 0)"
    if isinstance(problem, exceptions.ClusterError | exceptions.MovedError) or any(word in said for word in _CLUSTERED):
        return _CLUSTER
    if (unknown := _UNKNOWN.search(said)) is None:
        return None
    if unknown[1].upper() == "SENTINEL":
        return "no Sentinel answers there (a Redis is redis://host:port/0)"
    return f"it has no command {unknown[1]}: Cohort needs Redis or Valkey 7.0 or later, without renamed commands"


_LONGEST = 200
"""Characters of what a server says."""


def said_by(problem: Exception) -> str:
    """The server's first sentence. What follows is advice of 400 characters (MISCONF), for which a log has no use.

    The command is left out, which redis-py puts in front with all that it would have written.
    """
    whole = str(problem).rpartition(" of pipeline caused error: ")[2].strip("(),'\"")
    return re.split(r"\.\s|\n", whole, maxsplit=1)[0][:_LONGEST]
