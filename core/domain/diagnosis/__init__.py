"""What a mail server's words mean, who can mend it and how (requirements R54..R77, R207, R226). Pure."""

from core.domain.diagnosis.causes import CAUSES
from core.domain.diagnosis.judge import LAYERS, UNKNOWN, diagnose
from core.domain.diagnosis.model import Cause, CauseClass, Diagnosis, Failure, Who

__all__ = ["CAUSES", "LAYERS", "UNKNOWN", "Cause", "CauseClass", "Diagnosis", "Failure", "Who", "diagnose"]
