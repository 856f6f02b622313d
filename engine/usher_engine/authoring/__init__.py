"""Changes to processes: drafts, deployments, backtests of a draft, and pauses of a version."""

from ..store import Draft, DraftFile, SetAside, SignOff, Version
from ..store.pause_rows import EVERY, Pause
from .drafts import draft_key, file_etag
from .editor_vocabulary import vocabulary_of
from .version_pauses import Pauses

__all__ = [
    "EVERY",
    "Draft",
    "DraftFile",
    "Pause",
    "Pauses",
    "SetAside",
    "SignOff",
    "Version",
    "draft_key",
    "file_etag",
    "vocabulary_of",
]
