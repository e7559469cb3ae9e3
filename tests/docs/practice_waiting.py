"""What is not shown yet, and why: whole rows that wait, and what is missing of rows that are shown in part."""

from typing import Final

TEAM: Final = "later: teams, meetings and pulses"
OUTREACH: Final = "later: calls and offers of our own"
ADVOCACY: Final = "later: what customers tell others about us"

WAITING: Final[dict[str, str]] = {
    "S3.12": "later: needs that are no failures",
    "S3.14": "later: strangers who become customers",
    "S4.4": "later: plans of communication for long matters",
    "S4.5": "later: choices put to the customer",
    "S4.7": "later: heard but not acted upon",
    "S4.10": "later: appointments",
    "S4.11": "later: figures of internal customers by themselves",
    "S4.12": ADVOCACY,
    "S4.22": OUTREACH,
    "S4.23": OUTREACH,
    "S4.24": OUTREACH,
    "S5.3": TEAM,
    "S5.5": "later: which side of the service a failure touches",
    "S5.14": "later: accounts with customers of their own",
    "S5.15": TEAM,
    "S5.16": ADVOCACY,
    "S5.18": TEAM,
    "S5.22": "later: what informing everybody costs",
    "S5.25": "later: price promotions",
}
"""Rows of which no test of a source shows anything yet."""

PARTLY: Final[dict[str, str]] = {
    "S1.11": "the effort of whoever helped, which nobody is asked to grade",
    "S1.19": "later: who attended a meeting",
    "S2.24": "harms by role",
    "S3.16": "what was saved as a multiple of what winning him had cost",
    "S4.26": "the times under load, which no test can show: `make bench ONLY=B7` measures them",
    "S4.29": "how often training was missing before and after it",
    "S5.10": "prevention weighed by money; it goes by effort",
}
"""What is still missing of rows that a test of a source shows."""
