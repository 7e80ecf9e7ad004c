"""Loads all that a worker has loaded when it is ready, for the process from which workers are forked.

A worker by itself loads less at its beginning: much is loaded where it is used first. What is missing here only costs
each worker the time to load it, and memory of its own.
"""

import importlib
import os
from collections.abc import Mapping
from pkgutil import iter_modules

from celery.utils.imports import load_extension_class_names
from fast_agent.llm import model_factory

from workers.process import first_answers
from workers.runtime import patches
from workers.runtime.patches import patch

_LATE = (
    "workers.process.app",
    "workers.process.own",
    "acp",
    "anyio._backends._asyncio",
    "billiard.pool",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.app.routes",
    "celery.backends.base",
    "celery.events.receiver",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "encodings.ascii",
    "exceptiongroup",
    "fast_agent.acp.tool_call_context",
    "fast_agent.agents.workflow.agents_as_tools_agent",
    "fast_agent.agents.workflow.chain_agent",
    "fast_agent.core.environment_lifecycle",
    "fast_agent.hooks.compaction",
    "fast_agent.hooks.lifecycle_hook_loader",
    "fast_agent.llm.internal.passthrough",
    "fast_agent.llm.model_info",
    "fast_agent.llm.provider_key_manager",
    "fast_agent.plugins.post_user_turn",
    "fast_agent.tools.composite_filesystem_runtime",
    "fast_agent.tools.environment_filesystem_runtime",
    "fast_agent.tools.local_filesystem_runtime",
    "fastmcp.server.context",
    "griffe",
    "httpcore2",
    "kombu.matcher",
    "kombu.pidbox",
    "PIL.Image",
    "truststore",
    "workers.runtime.servers.sessions",
    "workers.runtime.streams.arguments",
    "workers.runtime.streams.bodies",
    "workers.runtime.streams.escapes",
)
"""The worker, and what Celery, fast-agent and our own patches load late."""

_CLIENTS = {
    ".openai.": "openai.resources.chat.chat",
    "responses": "openai.resources.responses.responses",
}
"""What OpenAI's client loads with its first call, by a part of the provider's name."""

_KEY = "_API_KEY"

_BACKENDS = "celery.result_backends"
"""Where Celery looks for backends that packages bring: in each of 190 packages."""


def load() -> None:
    """Load everything; a module that is not there is left to those who use it."""
    ours = (f"{patches.__name__}.{module.name}" for module in iter_modules(patches.__path__))
    for name in (*_LATE, *ours, *_providers(os.environ)):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    # What each worker would read of what is installed.
    patch.look()
    patch.version(patch.LIBRARY)
    first_answers.build()
    load_extension_class_names(_BACKENDS)


def _providers(environ: Mapping[str, str]) -> list[str]:
    """The modules of the providers that are likely to be used: those with a key, or the one of the demo model."""
    named = {name.removesuffix(_KEY).lower() for name in environ if name.endswith(_KEY)}
    model = environ.get("COHORT_MODEL") or environ.get("FAST_AGENT_MODEL") or ("" if named else "generic")
    named.add(model.partition(".")[0])
    if "openai" in named:
        named.add("responses")
    paths = model_factory._PROVIDER_CLASS_PATHS  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - names of modules
    found = [module for provider, (module, _) in paths.items() if provider.value in named]
    return [*found, *(late for part, late in _CLIENTS.items() if any(part in module for module in found))]
