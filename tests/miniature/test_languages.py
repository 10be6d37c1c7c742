import pytest

from bistil_core.errors import BistilError
from bistil_core.miniature.languages import LANGUAGES, PRETRAINING_LANGUAGES, realise
from bistil_core.miniature.languages.sentence import text
from bistil_core.miniature.lexicon import HYPERNYMS, NOUNS, NUMBERS, VERBS
from bistil_core.miniature.world import Claim


def say(language: str, **claim) -> str:
    return text(
        realise(Claim(**({"subject": "Ali", "verb": "buy", "tense": "past", "noun": "apple"} | claim)), language)
    )


FULL = {"number": 3, "adjective": "black", "place": "at the market", "time": "yesterday"}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "yesterday Ali bought three black apples at the market."),
        ("sw", "jana Ali alinunua matofaa meusi matatu sokoni."),
        ("tr", "dün Ali pazarda üç siyah elma aldı."),
        ("es", "ayer Ali compró tres manzanas negras en el mercado."),
        ("id", "kemarin Ali telah membeli tiga apel hitam di pasar."),
    ],
)
def test_a_full_sentence(language: str, sentence: str):
    assert say(language, **FULL) == sentence


@pytest.mark.parametrize(
    ("tense", "negated", "expected"),
    [
        ("past", True, {"en": "Ali did not buy apples.", "sw": "Ali hakununua matofaa.", "tr": "Ali elmalar almadı.",
                        "es": "Ali no compró manzanas.", "id": "Ali tidak membeli apel."}),
        ("present", False, {"en": "Ali buys apples.", "sw": "Ali ananunua matofaa.", "tr": "Ali elmalar alıyor.",
                            "es": "Ali compra manzanas.", "id": "Ali membeli apel."}),
        ("present", True, {"en": "Ali does not buy apples.", "sw": "Ali hanunui matofaa.", "tr": "Ali elmalar almıyor.",
                           "es": "Ali no compra manzanas.", "id": "Ali tidak membeli apel."}),
        ("future", False, {"en": "Ali will buy apples.", "sw": "Ali atanunua matofaa.", "tr": "Ali elmalar alacak.",
                           "es": "Ali comprará manzanas.", "id": "Ali akan membeli apel."}),
        ("future", True, {"en": "Ali will not buy apples.", "sw": "Ali hatanunua matofaa.",
                          "tr": "Ali elmalar almayacak.", "es": "Ali no comprará manzanas.",
                          "id": "Ali tidak akan membeli apel."}),
    ],
)  # fmt: skip
def test_tense_and_negation(tense: str, negated: bool, expected: dict[str, str]):
    assert {language: say(language, tense=tense, negated=negated) for language in LANGUAGES} == expected


@pytest.mark.parametrize(
    ("noun", "number", "adjective", "phrase"),
    [
        ("dog", 1, "big", "mbwa mkubwa mmoja"),
        ("dog", 2, "big", "mbwa wakubwa wawili"),
        ("belt", 1, "white", "mkanda mweupe mmoja"),
        ("belt", 4, "white", "mikanda myeupe minne"),
        ("apple", 1, "new", "tofaa jipya moja"),
        ("apple", 5, "new", "matofaa mapya matano"),
        ("book", 1, "light", "kitabu chepesi kimoja"),
        ("book", 2, "light", "vitabu vyepesi viwili"),
        ("letter", 1, "long", "barua ndefu moja"),
        ("letter", 2, "dirty", "barua chafu mbili"),
        ("letter", 6, "clean", "barua safi sita"),
    ],
)
def test_swahili_concord(noun: str, number: int, adjective: str, phrase: str):
    assert say("sw", noun=noun, number=number, adjective=adjective) == f"Ali alinunua {phrase}."


def test_swahili_keeps_the_last_vowel_of_arabic_verbs():
    assert say("sw", verb="forget", tense="present", negated=True) == "Ali hasahau matofaa."


@pytest.mark.parametrize(
    ("verb", "tense", "negated", "form"),
    [
        ("wash", "past", False, "yıkadı"), ("wash", "present", False, "yıkıyor"),
        ("wash", "future", False, "yıkayacak"), ("wash", "present", True, "yıkamıyor"),
        ("cover", "past", False, "örttü"), ("cover", "present", True, "örtmüyor"),
        ("show", "future", True, "göstermeyecek"), ("forget", "past", False, "unuttu"),
        ("forget", "present", True, "unutmuyor"), ("pull", "past", False, "çekti"),
    ],
)  # fmt: skip
def test_turkish_vowel_harmony(verb: str, tense: str, negated: bool, form: str):
    assert say("tr", verb=verb, tense=tense, negated=negated) == f"Ali elmalar {form}."


def test_a_turkish_numeral_takes_the_singular():
    assert say("tr", noun="dog", number=2) == "Ali iki köpek aldı."
    assert say("tr", noun="dog") == "Ali köpekler aldı."


def test_spanish_agreement():
    assert say("es", noun="book", number=1, adjective="clean") == "Ali compró un libro limpio."
    assert say("es", noun="letter", number=1, adjective="clean") == "Ali compró una carta limpia."
    assert say("es", noun="letter", adjective="big") == "Ali compró cartas grandes."


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_differs_in_meaning_differs_in_words(language: str):
    nouns = {say(language, noun=noun, number=2) for noun in NOUNS}
    verbs = {say(language, verb=verb, negated=negated) for verb in VERBS for negated in (False, True)}
    numbers = {say(language, number=number) for number in NUMBERS}
    assert (len(nouns), len(verbs), len(numbers)) == (len(NOUNS), 2 * len(VERBS), len(NUMBERS))


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_same_slots(language: str):
    claim = Claim("teacher", "buy", "past", "apple", **FULL, negated=True)
    slots = [slot for slot, _ in realise(claim, language)]
    assert sorted(slots) == sorted(["subject", "verb", "noun", "number", "adjective", "place", "time"])


def test_every_kind_has_a_hypernym_that_is_no_kind_itself():
    assert set(HYPERNYMS) | set(HYPERNYMS.values()) == set(NOUNS)
    assert not set(HYPERNYMS) & set(HYPERNYMS.values())


def test_one_language_is_unseen_in_pretraining():
    assert set(PRETRAINING_LANGUAGES) < set(LANGUAGES)


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(BistilError, match=r"'qu'.*en, sw, tr, es, id"):
        say("qu")
