"""Every cause that Rethread can name, in the words its people read (R207). Pure data."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.diagnosis.causes_access import ACCESS_CAUSES
from core.domain.diagnosis.causes_connection import CONNECTION_CAUSES
from core.domain.diagnosis.causes_own import OWN_CAUSES
from core.domain.diagnosis.causes_sending import SENDING_CAUSES
from core.domain.diagnosis.model import Cause

CAUSES: Mapping[str, Cause] = {**ACCESS_CAUSES, **CONNECTION_CAUSES, **SENDING_CAUSES, **OWN_CAUSES}
