"""Changes to processes: drafts, deployments, backtests of a draft, pauses; and the practice's working days."""

from ..core.working_days import WEEK
from ..store import Draft, DraftFile, SetAside, SignOff, Version
from ..store.deploy_note_rows import DeployNote, SentBack
from ..store.draft_point_rows import DraftPoint, PointKind
from ..store.pause_rows import EVERY, Pause
from .draft_keys import draft_key
from .draft_states import DraftState, StandingDraft
from .draft_trials import DraftTrial
from .drafts import file_etag
from .editor_vocabulary import names_by_place, names_with_shapes, vocabulary_of
from .import_desk import ImportState, Left, LeftKind
from .version_pauses import Pauses

__all__ = [
    "EVERY",
    "WEEK",
    "DeployNote",
    "Draft",
    "DraftFile",
    "DraftPoint",
    "DraftState",
    "DraftTrial",
    "ImportState",
    "Left",
    "LeftKind",
    "Pause",
    "Pauses",
    "PointKind",
    "SentBack",
    "SetAside",
    "SignOff",
    "StandingDraft",
    "Version",
    "draft_key",
    "file_etag",
    "names_by_place",
    "names_with_shapes",
    "vocabulary_of",
]
