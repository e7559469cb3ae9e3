"""What customers say and what happened to them, in each language in which the demo can be told."""

from typing import Final, Literal

Language = Literal["en", "el", "pl"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "el", "pl")

_WORDS: Final[dict[str, dict[Language, str]]] = {
    "two terminals": {
        "en": "Two payments for one wardrobe, and the shop may not give one back without head office.",
        "el": "Δύο χρεώσεις για μία ντουλάπα, και το κατάστημα δεν μπορεί να επιστρέψει τη μία χωρίς τα κεντρικά.",
        "pl": "Dwie płatności za jedną szafę, a sklep nie może oddać jednej bez zgody centrali.",
    },
    "from the pope": {
        "en": "Do I need a signature from the pope himself?",
        "el": "Χρειάζομαι υπογραφή από τον πάπα τον ίδιο;",
        "pl": "Potrzebny jest podpis samego papieża?",
    },
    "bread machine": {
        "en": "The bread machine was repaired and leaks again.",
        "el": "Ο αρτοπαρασκευαστής επισκευάστηκε και στάζει πάλι.",
        "pl": "Wypiekacz po naprawie znowu przecieka.",
    },
    "bread machine late": {
        "en": "The spare part was promised for Monday and came on Friday.",
        "el": "Το ανταλλακτικό ήταν να έρθει τη Δευτέρα και ήρθε την Παρασκευή.",
        "pl": "Część miała być w poniedziałek, a przyszła w piątek.",
    },
    "wedding": {
        "en": "The flowers for a wedding were delivered to the wrong church.",
        "el": "Τα λουλούδια του γάμου πήγαν σε άλλη εκκλησία.",
        "pl": "Kwiaty na ślub trafiły do innego kościoła.",
    },
    "wedding wish": {
        "en": "That somebody stands by his word before Saturday.",
        "el": "Να κρατήσει κάποιος τον λόγο του πριν από το Σάββατο.",
        "pl": "Żeby ktoś dotrzymał słowa przed sobotą.",
    },
    "cold soup": {
        "en": "The fish soup came cold, twice.",
        "el": "Η ψαρόσουπα ήρθε κρύα, δύο φορές.",
        "pl": "Zupa rybna dwa razy przyszła zimna.",
    },
    "burnt chops": {
        "en": "The chops were burnt.",
        "el": "Τα παϊδάκια κάηκαν.",
        "pl": "Kotleciki były spalone.",
    },
    "anniversary": {
        "en": "The table for the anniversary stood next to the kitchen door.",
        "el": "Το τραπέζι για την επέτειο ήταν δίπλα στην πόρτα της κουζίνας.",
        "pl": "Stolik na rocznicę stał przy drzwiach do kuchni.",
    },
    "raw fish": {
        "en": "The fish for a birthday table of four came back raw.",
        "el": "Το ψάρι για ένα τραπέζι γενεθλίων τεσσάρων ήρθε ωμό.",
        "pl": "Ryba na urodzinowy stół dla czterech osób przyszła surowa.",
    },
    "not at midnight": {
        "en": "A dinner we can eat, and not at midnight.",
        "el": "Ένα φαγητό που τρώγεται, και όχι τα μεσάνυχτα.",
        "pl": "Kolacja, którą da się zjeść, i to nie o północy.",
    },
    "made us laugh": {
        "en": "You made us laugh about it in the end.",
        "el": "Στο τέλος μας κάνατε να γελάσουμε.",
        "pl": "W końcu się z tego śmialiśmy.",
    },
    "before the attempt": {
        "en": "The van will come while I am at work, and I may not say so before it has come in vain.",
        "el": "Θα έρθουν όσο δουλεύω, και δεν μπορώ να το πω πριν έρθουν άδικα.",
        "pl": "Przyjadą, gdy będę w pracy, a zgłosić to można dopiero po nieudanej próbie.",
    },
    "another day": {
        "en": "Bring it on Saturday, that is all I ask.",
        "el": "Φέρτε το Σάββατο, αυτό μόνο ζητώ.",
        "pl": "Proszę tylko o sobotę.",
    },
    "no word": {
        "en": "The boiler has been out since the service, and nobody rings back.",
        "el": "Ο λέβητας δεν δουλεύει από το σέρβις και κανείς δεν τηλεφωνεί.",
        "pl": "Kocioł nie działa od przeglądu i nikt nie oddzwania.",
    },
    "five days cold": {
        "en": "Five days without hot water. I have told everybody who asked where I bought it.",
        "el": "Πέντε μέρες χωρίς ζεστό νερό. Το έχω πει σε όποιον ρώτησε από πού τον πήρα.",
        "pl": "Pięć dni bez ciepłej wody. Mówię każdemu, kto pyta, gdzie był kupiony.",
    },
    "pram": {
        "en": "A wheel came off the pram on the second day. Nobody was hurt.",
        "el": "Βγήκε η ρόδα από το καρότσι τη δεύτερη μέρα. Κανείς δεν χτύπησε.",
        "pl": "Drugiego dnia odpadło kółko od wózka. Nikomu nic się nie stało.",
    },
    "wrong size": {
        "en": "The boots in the box are of two sizes.",
        "el": "Οι μπότες στο κουτί είναι δύο διαφορετικά νούμερα.",
        "pl": "Buty w pudełku są w dwóch rozmiarach.",
    },
    "kettle": {
        "en": "The kettle drips; it was a present and there is no receipt.",
        "el": "Ο βραστήρας στάζει· ήταν δώρο και απόδειξη δεν υπάρχει.",
        "pl": "Czajnik kapie; to był prezent i nie ma paragonu.",
    },
    "brakes": {
        "en": "The electric brake is as weak after the service as before.",
        "el": "Το ηλεκτρικό φρένο είναι το ίδιο αδύναμο μετά το σέρβις.",
        "pl": "Hamulec elektryczny po przeglądzie jest tak samo słaby.",
    },
}


def say(what: str, speaks: Language) -> str:
    """The words for this in one language."""
    return _WORDS[what][speaks]
