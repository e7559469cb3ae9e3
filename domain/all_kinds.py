"""All kinds: importing this makes every event and command known. A new package of kinds is one line here."""

import domain.alarms
import domain.budgets.commands
import domain.budgets.events
import domain.colleagues
import domain.compositions
import domain.granting.events
import domain.lessons
import domain.moves
import domain.publishing

__all__ = ["domain"]
