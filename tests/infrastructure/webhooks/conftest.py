"""What tests of webhooks may ask for: see the fixtures themselves."""

from tests.support.webhook_fixtures import crm, desk, hook

__all__ = ["crm", "desk", "hook"]
