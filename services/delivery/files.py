"""Where delivery keeps its file."""

from __future__ import annotations

from pathlib import Path

from baton.settings import Settings
from services.delivery.settings import DeliverySettings


def folder_of(settings: Settings, own: DeliverySettings) -> Path:
    """The directory of a namespace's delivery."""
    return own.folder or settings.home / "delivery" / settings.namespace
