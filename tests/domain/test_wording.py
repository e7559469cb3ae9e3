"""Wording: what undoes the good of a message is found in three languages, and nothing is refused."""

import hypothesis
import pytest
from hypothesis import strategies as st

from domain.phrases import INSTEAD, LANGUAGES, PHRASES, WHY
from domain.wording import MOST, check_wording
from tests.support.soak import examples


def rules(text: str, language: str | None = None) -> set[str]:
    return {one.rule for one in check_wording(text, language)}


@pytest.mark.parametrize(
    "text",
    [
        "Normally we charge the difference, so you are lucky today.",
        "We waived the fee for you, just this once.",
        "As an exception you get it for free.",
        "Κανονικά χρεώνουμε τη διαφορά, σταθήκατε τυχερός.",
        "Κατ' εξαίρεση σας το αλλάζουμε.",
        "Normalnie pobieramy dopłatę, ma Pani dziś szczęście.",
        "W drodze wyjątku wymienimy to za darmo.",
        "I am making an exception for you.",
        "We don't usually refund this.",
        "I do not normally do that.",
        "You were lucky that I was here.",
        "I bent the rules a little.",
        "We broke a rule for you.",
        "Συνήθως δεν το κάνουμε.",
        "Δεν το κάνουμε αυτό συνήθως.",
        "Ήσασταν τυχερή που ήμουν εδώ.",
        "Zazwyczaj tego nie robimy.",
        "Miał Pan szczęście.",
        "Zrobiliśmy dla Pani wyjątek.",
        "Nagięliśmy dla Pana zasady.",
        "Robię dla Pani wyjątek.",
        "Usually we don't take it back.",
        "We don't normally give refunds.",
        "I had to bend the rules.",
        "Παρακάμψαμε τους κανόνες για εσάς.",
        "Κανονικά δεν δεχόμαστε επιστροφές.",
        "Normalnie nie przyjmujemy zwrotów.",
    ],
)
def test_s2_5_a_waiver_told_as_a_favour_is_flagged(text: str):
    assert rules(text) == {"favour_flaunting"}


@pytest.mark.parametrize(
    "text",
    [
        "I went out of my way to get you this.",
        "You have no idea how long that took.",
        "I spent hours finding it.",
        "It took me all day.",
        "We've spent the whole week on it.",
        "That cost me the whole morning.",
        "Με μεγάλη προσπάθεια το βρήκαμε.",
        "Proszę mi wierzyć, szukaliśmy wszędzie.",
        "It took me a lot of effort to get it.",
        "We worked really hard to find one.",
        "Μας πήρε πολλή δουλειά.",
        "Zajęło nam to mnóstwo pracy.",
    ],
)
def test_effort_that_is_flaunted_is_flagged(text: str):
    assert rules(text) == {"effort_flaunting"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("You should have read the form.", "blaming"),
        ("Δεν διαβάσατε τους όρους.", "blaming"),
        ("To Pana wina.", "blaming"),
        ("You must have misheard.", "perception_contested"),
        ("Κάνετε λάθος.", "perception_contested"),
        ("Pani się myli.", "perception_contested"),
        ("There is nothing we can do.", "empty_excuse"),
        ("Το σύστημα δεν επιτρέπει αλλαγές.", "empty_excuse"),
        ("System na to nie pozwala.", "empty_excuse"),
    ],
)
def test_blame_contradiction_and_empty_excuses_are_flagged(text: str, rule: str):
    assert rules(text) == {rule}


@pytest.mark.parametrize(
    "text",
    [
        "Beware, a difficult customer.",
        "He is a serial complainer.",
        "An unfounded complaint again.",
        "Δύσκολος πελάτης.",
        "ΔΥΣΚΟΛΟΙ ΠΕΛΑΤΕΣ",
        "Αβάσιμη καταγγελία.",
        "Trudny klient.",
        "Klient roszczeniowy? Roszczeniowa klientka!",
        "Bezzasadna skarga.",
    ],
)
def test_s2_20_labels_for_customers_are_flagged(text: str):
    assert rules(text) == {"customer_label"}


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry. The plums were hard, and here are six good ones.",
        "You should have the refund on Friday. If you had a question, I am here.",
        "I know that it was not easy for you.",
        "I am sorry that you spent hours on this.",
        "I am sorry that it took us so much time, and you a lot of work.",
        "Our courier broke the rules, and I am sorry.",
        "I am sorry that our courier bent the rules, and that you worked so hard to find someone.",
        "We don't usually take this long.",
        "Usually we do not take so long. We do not normally give such poor service.",
        "We don't usually allow this to happen.",
        "Συνήθως δεν κάνουμε τέτοια λάθη. Δεν κάνουμε συνήθως λάθη.",
        "Συνήθως δεν δεχόμαστε τόσα παράπονα.",
        "Λυπάμαι που δεν ήσασταν τυχερή.",
        "Zwykle nie robimy takich błędów. Zwykle takich błędów nie robimy.",
        "We were lucky to have you tell us. Is anything else not as you usually take it?",
        "We are working hard to make sure that this does not happen again.",
        "Λυπάμαι που μας πήρε τόσο χρόνο. Ήμασταν τυχεροί που μας το είπατε.",
        "Przykro mi, że zajęło nam to tyle czasu. Mieliśmy szczęście, że nam Pani powiedziała.",
        "This is on us. Is there anything else I can do for you?",
        "Λυπάμαι πολύ. Σας το αλλάζω αμέσως και θα σας πάρω τηλέφωνο αύριο.",
        "Bardzo przepraszam. Gdyby Pani potrzebowała pomocy, proszę dzwonić. Powinien dostać Pan zwrot jutro.",
        "",
    ],
)
def test_kind_words_are_left_alone(text: str):
    assert check_wording(text) == []


def test_what_is_proposed_instead_is_never_flagged_itself():
    for several in INSTEAD.values():
        assert [text for text in several.values() if check_wording(text)] == []
    assert set(INSTEAD) == set(WHY) == {rule for rules in PHRASES.values() for rule in rules}
    assert all(set(several) == set(LANGUAGES) for several in INSTEAD.values())
    assert all(set(rules) == set(WHY) for rules in PHRASES.values())


def test_no_phrase_begins_or_ends_with_a_space_since_the_next_letter_would_hide_it():
    assert [
        one for rules in PHRASES.values() for several in rules.values() for one in several if one != one.strip()
    ] == []


def test_a_finding_says_where_why_and_what_to_say_instead_in_the_language_of_the_text():
    [found] = check_wording("Καλημέρα! Σταθήκατε πολύ τυχερός σήμερα.")
    assert (found.start, found.end, found.said) == (10, 32, "Σταθήκατε πολύ τυχερός")
    assert found.why == WHY["favour_flaunting"]
    assert found.instead.startswith("Το αναλαμβάνουμε")


def test_accents_capitals_lines_and_apostrophes_hide_nothing():
    assert rules("YOU’RE   VERY\nLUCKY") == {"favour_flaunting"}
    decomposed = "Δυ\u0301σκολος\u00a0πελα\u0301της"
    [found] = check_wording(decomposed)
    assert found.said == decomposed
    assert rules("WYJĄTKOWO TYM RAZEM") == {"favour_flaunting"}


def test_words_inside_other_words_are_not_meant():
    assert check_wording("The unlucky today-show, a complainerless day") == []


def test_one_language_can_be_asked_for():
    both = "Trudny klient, difficult customer."
    assert [one.said for one in check_wording(both)] == ["Trudny klient", "difficult customer"]
    assert [one.said for one in check_wording(both, "pl")] == ["Trudny klient"]
    assert check_wording(both, "el") == []


def test_of_findings_within_each_other_the_longest_is_told():
    assert [one.said for one in check_wording("He is a serial complainer.")] == ["serial complainer"]


def test_a_long_text_tells_enough():
    assert len(check_wording("Calm down. " * 1000)) == MOST


@examples(100, many=5_000)
@hypothesis.given(text=st.text(max_size=300))
def test_any_text_is_read_and_what_is_told_stands_where_it_says(text: str):
    for found in check_wording(text + " calm down " + text):
        assert (text + " calm down " + text)[found.start : found.end] == found.said
