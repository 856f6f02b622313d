"""Changes to processes: drafts, deployments, backtests of a draft, and pauses of a version."""

from ..store import Draft, DraftFile, SetAside, SignOff, Version
from ..store.pause_rows import EVERY, Pause
from .draft_states import DraftState, StandingDraft
from .drafts import draft_key, file_etag
from .version_pauses import Pauses

__all__ = [
    "EVERY",
    "Draft",
    "DraftFile",
    "DraftState",
    "Pause",
    "Pauses",
    "SetAside",
    "SignOff",
    "StandingDraft",
    "Version",
    "draft_key",
    "file_etag",
]
