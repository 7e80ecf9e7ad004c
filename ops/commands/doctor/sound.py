"""Whether voice messages reach the models that are said to hear."""

from importlib.util import find_spec

from ops.commands.finding import Finding
from tasks.config.settings import Settings

LIBRARY = "av"
"""Of the extra ``voice``."""


async def sound(settings: Settings) -> list[Finding]:
    """What this installation lacks."""
    return verdict(settings, installed=find_spec(LIBRARY) is not None)


def verdict(settings: Settings, *, installed: bool) -> list[Finding]:
    """Models that hear MP3 and WAV alone, where nothing converts Telegram's voice messages, which are OGG (pure)."""
    hear = [model for model, kinds in settings.model_reads.items() if "audio" in kinds and "ogg" not in kinds]
    if installed or not hear:
        return []
    seen = f"{', '.join(hear)} takes MP3 and WAV, and voice messages are OGG"
    if settings.transcribe is not None:
        return [Finding("sound", "ok", f"{seen}: COHORT_TRANSCRIBE writes them down")]
    do = "pip install 'cohort[voice]' (here: `make env-voice`), which converts them"
    return [Finding("sound", "warning", seen, do)]
