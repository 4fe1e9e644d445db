"""A workspace's patience: nothing set is the product's own, and what has no setting keeps its proportion."""

from __future__ import annotations

from core.domain.patience import Patience
from core.domain.workspace_settings import WorkspaceSettings
from core.services.sync_failures import patience_of


def test_nothing_set_is_the_products_own_patience() -> None:
    assert patience_of(WorkspaceSettings({})) == Patience()


def test_what_has_no_setting_of_its_own_is_shortened_with_what_has() -> None:
    """A demo that shows a break in seconds shows each kind of it in seconds."""
    quick = patience_of(WorkspaceSettings({"retry_most_s": 3, "alert_after_s": 1, "login_retry_s": 60}))
    assert (quick.slow_first_s, quick.slow_longest_s, quick.not_reachable_retry_s) == (1.5, 18, 0.3)
    assert (quick.slow_quiet_s, quick.settings_quiet_s, quick.app_retry_s) == (3, 3, 120)
