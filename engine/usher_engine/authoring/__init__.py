"""Changes to processes: drafts, deployments, backtests of a draft, and pauses of a version."""

from ..store import Draft, DraftFile, SetAside, SignOff, Version
from ..store.draft_point_rows import DraftPoint, PointKind
from ..store.pause_rows import EVERY, Pause
from .drafts import draft_key, file_etag
from .version_pauses import Pauses

__all__ = [
    "EVERY",
    "Draft",
    "DraftFile",
    "DraftPoint",
    "Pause",
    "Pauses",
    "PointKind",
    "SetAside",
    "SignOff",
    "Version",
    "draft_key",
    "file_etag",
]
