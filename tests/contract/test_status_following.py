"""A task whose reason has gone closes or asks again by itself, as a step of its case that runs again to the same end."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import alice
from usher_engine import Actor
