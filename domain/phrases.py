"""Phrases: words that undo the good of a message, why they do, and what to say instead, in three languages."""

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "el", "pl"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "el", "pl")
WordingRule = Literal[
    "favour_flaunting", "effort_flaunting", "blaming", "perception_contested", "customer_label", "empty_excuse"
]


WHY: Final[Mapping[WordingRule, str]] = {
    "favour_flaunting": "What was forgiven is not for the customer's ears: help that is called a favour is none.",
    "effort_flaunting": "How much work it was is ours to bear; told to him it sounds like a bill.",
    "blaming": "Who was at fault does not help him, and told to him it hurts.",
    "perception_contested": "What he saw is what he saw; to contest it is to lose him.",
    "customer_label": "There are no difficult customers in our files, only people whom something happened to.",
    "empty_excuse": "A rule or a system is no answer; what can be done is one.",
}
INSTEAD: Final[Mapping[WordingRule, Mapping[Language, str]]] = {
    "favour_flaunting": {
        "en": "This is on us. Is there anything else I can do for you?",
        "el": "Το αναλαμβάνουμε εμείς. Μπορώ να κάνω κάτι άλλο για εσάς;",
        "pl": "To bierzemy na siebie. Czy mogę jeszcze w czymś pomóc?",
    },
    "effort_flaunting": {
        "en": "It is done. I am sorry that you had to ask.",
        "el": "Έγινε. Λυπάμαι που χρειάστηκε να το ζητήσετε.",
        "pl": "Gotowe. Przepraszam, że trzeba było o to prosić.",
    },
    "blaming": {
        "en": "I am sorry that this happened. Here is what I will do now.",
        "el": "Λυπάμαι που συνέβη αυτό. Θα κάνω τώρα το εξής.",
        "pl": "Przykro mi, że tak się stało. Zaraz zrobię, co następuje.",
    },
    "perception_contested": {
        "en": "Thank you for telling me how it was for you.",
        "el": "Σας ευχαριστώ που μου είπατε πώς το ζήσατε.",
        "pl": "Dziękuję, że mówi mi Pan/Pani, jak to wyglądało.",
    },
    "customer_label": {
        "en": "Say what happened to him and what he needs.",
        "el": "Πείτε τι του συνέβη και τι χρειάζεται.",
        "pl": "Powiedz, co go spotkało i czego potrzebuje.",
    },
    "empty_excuse": {
        "en": "What I can do right away is ...",
        "el": "Αυτό που μπορώ να κάνω αμέσως είναι ...",
        "pl": "Od razu mogę zrobić ...",
    },
}
# What a house gives or takes back; "we do not usually take this long" is no favour, and apologises.
_GIVEN: Final = (
    r"(?:do (?:this|that|it)|refund|(?:give|offer|allow|accept) (?:refund|return|exchange|discount|credit)s?"
    r"|take (?:it|them|this|that|these|returns) back)"
)
# Written without accents and in lower case, as the text is read. \w* stands for endings.
PHRASES: Final[Mapping[Language, Mapping[WordingRule, tuple[str, ...]]]] = {
    "en": {
        "favour_flaunting": (
            r"(?:normally|usually|ordinarily)[, ]+(?:we|i) (?:would )?(?:have to )?charge",
            rf"(?:normally|usually)[, ]+(?:we|i) (?:don't|do not|never) {_GIVEN}",
            rf"(?:we|i) (?:don't|do not) (?:normally|usually|ordinarily) {_GIVEN}",
            r"you(?:'re| are| were) (?:very |so |really )?(?:lucky|fortunate)",
            r"lucky (?:you|today)",
            r"(?:as|by way of) an? (?:one-off |special )?exception",
            r"just this once",
            r"(?:this time only|only this time)",
            r"as a (?:special )?favou?r",
            r"(?:doing|do) you a favou?r",
            r"(?:we|i)(?:'ll| will| have|'ve|'m| am|'re| are)? (?:make|made|making) an exception",
            r"(?:we|i)(?:'ll| will| have|'ve|'m| am|'re| are| had to)? (?:bend|bent|bending) "
            r"(?:the|our|a|some) rules?",
            r"(?:bend|bent|bending|break|broke|broken|breaking) (?:the|our|a|some) rules? for you",
            r"(?:we|i)(?:'ll| will| have|'ve)? waived? (?:the|your|this)",
            r"out of (?:the )?goodwill",
            r"even though (?:we|i) (?:don't|do not) have to",
            r"(?:we|i)(?:'m| am|'re| are) not (?:obliged|required) to",
        ),
        "effort_flaunting": (
            r"(?:went|go|going|gone) out of (?:my|our) way",
            r"believe me[, ]+(?:it|this|that)",
            r"after (?:a lot of|much|so much) (?:effort|work|trouble)",
            r"(?:i|we) (?:had to|have had to) (?:fight|beg|call|chase|convince)",
            r"you have no idea how (?:hard|much|long)",
            r"(?:wasn't|was not) easy (?:for (?:me|us)|to (?:get|find|arrange|persuade))",
            r"(?:(?:i|we)(?:'ve| have)? spent|(?:took|cost) (?:me|us)) (?:hours|the whole|all)",
            r"(?:took|cost) (?:me|us) (?:a lot of|so much|a great deal of) (?:effort|work|trouble)",
            r"(?:i|we)(?:'ve| have)? worked (?:very|really|so) hard "
            r"(?:for you|(?:to|and) (?:get|got|find|found|arrange|arranged))",
        ),
        "blaming": (
            r"you should(?:'ve| have) (?:told|read|checked|called|asked|known|said|noticed|followed|looked|kept)",
            r"you (?:failed|forgot|neglected) to",
            r"you (?:didn't|did not) (?:read|check|follow|tell|say|notice)",
            r"(?:it(?:'s| is| was) )?your (?:own )?(?:fault|mistake|error)",
            r"if you had (?:only )?(?:told|read|checked|called|asked|said|followed|waited|come)",
            r"as (?:i|we) (?:already )?(?:told|explained to) you",
        ),
        "perception_contested": (
            r"(?:that's|that is|that was) not (?:what happened|true|possible|correct)",
            r"you(?:'re| are) (?:wrong|mistaken|confused|exaggerating|overreacting)",
            r"you must have (?:misread|misheard|misunderstood)",
            r"(?:nobody|no one) else (?:has )?complain(?:ed|s)",
            r"calm down",
        ),
        "customer_label": (
            r"(?:difficult|problem|problematic|demanding|impossible|bad) (?:customer|client|guest|caller)s?",
            r"(?:aggressive|abusive|angry) (?:customer|client|guest|caller)s?",
            r"(?:serial|habitual|chronic|professional) complainers?",
            r"complainers?",
            r"unfounded (?:complaint|claim)s?",
            r"(?:trouble-?maker|time-?waster|freeloader)s?",
        ),
        "empty_excuse": (
            r"(?:it(?:'s| is)|that(?:'s| is)|against) (?:our|company|the) policy",
            r"the system (?:doesn't|does not|won't|will not) (?:allow|let)",
            r"(?:there(?:'s| is) )?nothing (?:i|we) can do",
        ),
    },
    "el": {
        "favour_flaunting": (
            r"(?:κανονικα|συνηθωσ)[, ]+(?:θα )?(?:χρεωνουμε|χρεωναμε|χρεωνω)",
            r"(?:συνηθωσ|κανονικα)[, ]+δεν (?:το (?:κανουμε|κανω|επιστρεφουμε|επιτρεπουμε|δεχομαστε)|"
            r"(?:κανουμε|δεχομαστε) (?:επιστροφεσ|αλλαγεσ))",
            r"δεν (?:το (?:κανουμε|κανω|επιστρεφουμε|επιτρεπουμε|δεχομαστε)(?: αυτο)?|(?:κανουμε|κανω) αυτο) "
            r"συνηθωσ",
            r"(?:παρεκαμψα|παρακαμψαμε|παρακαμπτουμε) (?:τουσ κανονεσ|τη διαδικασια)",
            r"(?<!δεν\s)(?:ειστε|εισαι|σταθηκατε|εισασταν|ησασταν|ησουν) (?:πολυ )?τυχερ\w+",
            r"κατ'\s*εξαιρεση",
            r"(?:κανουμε|κανω|εκανα|καναμε|θα κανουμε) (?:μια )?εξαιρεση",
            r"(?:μονο )?γι'\s*αυτη(?:ν)? τη φορα",
            r"(?:σασ|σου) (?:κανουμε|κανω|εκανα|καναμε) (?:τη |μια )?χαρη",
            r"(?:σασ|σου) χαριζ\w+",
            r"χωρισ να (?:ειμαστε|ειμαι) υποχρεωμεν\w+",
        ),
        "effort_flaunting": (
            r"με (?:πολυ |μεγαλ\w+ )?(?:κοπο|προσπαθεια)",
            r"(?:μου|μασ) πηρε (?:πολλη|τοση|πολυ|τοσο) (?:δουλεια|προσπαθεια|κοπο)",
            r"πιστεψτε με",
            r"δεν ηταν (?:καθολου )?ευκολο (?:για εμασ|για μενα|να)",
            r"(?:αναγκαστηκα|χρειαστηκε) να (?:παρακαλεσω|τρεξω|πιεσω|τσακωθω)",
            r"δεν φανταζεστε ποσο",
        ),
        "blaming": (
            r"επρεπε να (?:ειχατε|ειχεσ|το ειχατε|προσεξετε|διαβασετε|ρωτησετε|προσεχατε)",
            r"(?:ειναι |ηταν )?(?:δικο σασ|δικο σου) (?:το )?(?:λαθοσ|φταιξιμο)",
            r"(?:εσεισ|εσυ) φται\w+",
            r"δεν (?:διαβασατε|προσεξατε|ακολουθησατε|μασ ειπατε)",
            r"αν ειχατε (?:διαβασει|ρωτησει|προσεξει|πει)",
            r"σασ το (?:εχουμε|ειχαμε|εχω|ειχα) (?:ηδη )?πει",
        ),
        "perception_contested": (
            r"κανετε λαθοσ",
            r"δεν (?:εγινε|ειναι|συνεβη) ετσι",
            r"(?:αποκλειεται|υπερβαλλετε)",
            r"κανεισ αλλοσ δεν (?:παραπονεθηκε|εχει παραπονεθει)",
            r"ηρεμηστε",
        ),
        "customer_label": (
            r"(?:δυσκολ|προβληματικ|απαιτητικ|επιθετικ|παραξεν|κακ)\w+ πελατ\w+",
            r"(?:γκρινιαρ|παραπονιαρ)\w+",
            r"αβασιμ\w+ (?:παραπον|καταγγελι)\w+",
        ),
        "empty_excuse": (
            r"(?:ειναι|αντιθετο με) (?:η |την )?πολιτικη (?:μασ|τησ εταιρειασ)",
            r"το συστημα δεν (?:επιτρεπει|αφηνει|μασ αφηνει)",
            r"δεν μπορ(?:ω|ουμε) να καν(?:ω|ουμε) τιποτα",
        ),
    },
    "pl": {
        "favour_flaunting": (
            r"(?:normalnie|zwykle|zazwyczaj) (?:za to )?(?:pobieramy|bierzemy|liczymy|doplaca)",
            r"(?:normalnie|zwykle|zazwyczaj) (?:tego nie (?:robimy|zwracamy|dajemy|przyjmujemy)|"
            r"nie (?:robimy tego|zwracamy (?:pieniedzy|tego)|przyjmujemy zwrotow))",
            r"(?:ma|mial|miala) (?:pan|pani) (?:dzis |dzisiaj )?szczescie",
            r"(?:masz|mial[ae]s) (?:dzis |dzisiaj )?szczescie",
            r"w drodze wyjatku",
            r"(?:robie|robimy|zrobimy|zrobilem|zrobilam|zrobie|zrobilismy|zrobilysmy) (?:dla \w+ )?wyjatek",
            r"(?:nagne|naginamy|nagniemy|nagielismy|nagielysmy|nagialem|nagielam) "
            r"(?:dla \w+ )?(?:zasady|przepisy)",
            r"wyjatkowo (?:tym razem|nie)",
            r"tylko (?:ten jeden raz|tym razem)",
            r"idziemy (?:panu|pani|ci) na reke",
            r"(?:robimy|zrobimy|robie|wyswiadczamy) (?:panu |pani |ci )?(?:przysluge|laske)",
            r"choc(?:iaz)? nie (?:musimy|jestesmy zobowiazani)",
            r"(?:darujemy|umorzylismy|odstapilismy od)",
        ),
        "effort_flaunting": (
            r"prosze mi wierzyc",
            r"nie bylo (?:to )?(?:dla nas |dla mnie )latw\w+",
            r"z (?:wielkim|duzym) (?:trudem|wysilkiem)",
            r"(?:kosztowalo|zajelo) (?:to )?(?:mnie|mi|nas|nam) (?:to )?(?:wiele|duzo|mnostwo|tyle) "
            r"(?:pracy|wysilku|trudu)",
            r"musial(?:em|am) (?:sie )?(?:blagac|prosic|walczyc|nabiegac|nadzwonic)",
            r"nie wyobraza (?:pan|pani) sobie",
        ),
        "blaming": (
            r"(?:powinien|powinna) (?:(?:pan|pani) (?:byl|byla)|(?:byl|byla) (?:pan|pani))",
            r"(?:powinienes|powinnas) (?:byl|byla)",
            r"(?:to )?(?:pana|pani|twoja|twoj) (?:wlasna |wlasny )?(?:wina|blad)",
            r"nie (?:przeczytal|sprawdzil|zauwazyl|dopilnowal|powiedzial)(?:a|es|as)?(?: pan| pani)?",
            r"gdyby (?:pan|pani) (?:\w+ )?(?:przeczytal|sprawdzil|powiedzial|zadzwonil|zapytal)a?",
            r"juz (?:panu|pani|ci) (?:mowil\w+|tlumaczyl\w+)",
        ),
        "perception_contested": (
            r"(?:pan|pani) sie myli",
            r"to nieprawda",
            r"tak (?:wcale )?nie bylo",
            r"(?:pan|pani) przesadza",
            r"nikt inny sie nie skarzyl",
            r"prosze sie uspokoic",
        ),
        "customer_label": (
            r"(?:trudn|klopotliw|problematyczn|roszczeniow|agresywn|uciazliw)\w+ klient\w*",
            r"(?:pieniacz|maruder|awanturnik|roszczeniowiec)\w*",
            r"(?:bezzasadn|bezpodstawn)\w+ (?:skarg|reklamacj|zazalen)\w+",
        ),
        "empty_excuse": (
            r"taka (?:jest )?(?:nasza )?polityka(?: firmy)?",
            r"system (?:na to )?nie pozwala",
            r"nic nie (?:moge|mozemy) (?:zrobic|poradzic)",
        ),
    },
}
