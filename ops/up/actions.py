"""What other ``cohort`` commands may ask of a running ``cohort up``."""

from collections.abc import Mapping
from typing import Any

from ops.control import ControlAction
from ops.up.scaling import Scaling
from ops.up.supervisor import Supervisor
from tasks.config.worker_count import WorkerCount
from tasks.errors import Misconfigured


def actions(supervisor: Supervisor, scaling: Scaling) -> dict[str, ControlAction]:
    """Each by the ``do`` of its request (``ops.control``)."""

    def scale(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        was = scaling.count
        changed = scaling.set(_bounds(asked["auto"])) if "auto" in asked else scaling.by_hand(int(asked["count"]))
        left, was_auto = {process.spec.name for process in supervisor.workers()}, str(was) if was.auto else ""
        return {"changed": changed, "ends": not left >= set(changed), "workers": len(left), "was": was_auto}

    def drain(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"drained": supervisor.drain(str(asked["worker"]))}

    def restart(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"restarts": supervisor.renew(str(asked["worker"]))}

    def restart_own(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        one = asked.get("worker")
        return {"ends": supervisor.end_own(None if one is None else str(one))}

    def processes(_asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "processes": [
                {
                    "name": process.spec.name,
                    "pid": process.current.pid if process.current else None,
                    "incarnation": process.incarnation,
                    "lives": process.starts,
                    "leaving": process.leaving.is_set(),
                    "worker": process.spec.member,
                    "own": process.spec.own,
                }
                for process in supervisor.processes.values()
            ]
        }

    return {"scale": scale, "drain": drain, "restart": restart, "restart own": restart_own, "processes": processes}


def _bounds(said: object) -> WorkerCount:
    try:
        return WorkerCount.parse(said)
    except ValueError as problem:
        raise Misconfigured(f"the number of workers {problem}") from None
