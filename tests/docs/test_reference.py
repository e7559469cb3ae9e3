"""The reference pages say what the code says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from api.cli import app
from tests.docs.reference import EVERYWHERE, cli_page, metrics_page, settings_page, verbs

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize(
    ("name", "page"), [("cli.md", cli_page), ("settings.md", settings_page), ("metrics.md", metrics_page)]
)
def test_a_reference_page_is_made_from_the_code(name: str, page: Callable[[], str]):
    # After a change write the pages anew: AMENDS_WRITE_DOCS=1 pytest tests/docs/test_reference.py
    if os.environ.get("AMENDS_WRITE_DOCS"):
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    assert (REFERENCE / name).read_text(encoding="utf-8") == page()


def test_every_verb_can_be_asked_for_json_and_for_quiet():
    for path, command in verbs(typer.main.get_command(app), ("amends",)):
        assert {one.name for one in command.params} >= set(EVERYWHERE), path


def test_every_verb_argument_and_setting_says_what_it_is():
    for page in (cli_page(), settings_page()):
        assert "None" not in page
        assert "|  |" not in page
