"""Pictures of figures, as PNG. Drawing is work for the processor: call it in a thread."""

from core.pictures.funnel import funnel_png
from core.pictures.timeline import timeline_png

__all__ = ["funnel_png", "timeline_png"]
