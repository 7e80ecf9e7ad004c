"""What models read that fast-agent does not know: of ``generic.llava`` it believes that it reads text only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fast_agent.core.exceptions import FastAgentError
from fast_agent.llm.model_factory import ModelFactory

from tasks.errors import Misconfigured

_MIMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "pdf": ("application/pdf",),
    "video": ("video/mp4",),
}
_declared: dict[tuple[str, str], frozenset[str]] = {}
"""(provider, the model's name there) -> MIME types."""


def declare(reads: Mapping[str, Sequence[str]], resolve: Callable[[str], str]) -> None:
    """Take the operator's word (``COHORT_MODEL_READS``) in place of what was declared before.

    Raises:
        Misconfigured: there is no such model.
    """
    _declared.clear()
    for model, kinds in reads.items():
        try:
            found = ModelFactory.resolve_model_spec(resolve(model))
        except FastAgentError as problem:
            raise Misconfigured(f"COHORT_MODEL_READS: {model}: {str(problem).splitlines()[0]}") from problem
        _declared[found.provider.value, found.wire_model_name] = frozenset(
            mime for kind in kinds for mime in _MIMES[kind]
        )


def with_declared(original: Callable[..., bool]) -> Callable[..., bool]:
    def supports_mime(self: Any, mime_type: str, *, resource_source: Any = None) -> bool:
        if mime_type in _declared.get((self.provider.value, self.name), ()):
            return True
        return original(self, mime_type, resource_source=resource_source)

    return supports_mime
