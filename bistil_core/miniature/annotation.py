"""Gold grammar of a sentence: each word's part of speech, head and relation, as Universal Dependencies has them."""

from dataclasses import dataclass

from bistil_core.miniature.languages import realise
from bistil_core.miniature.lexicon import NAMES
from bistil_core.miniature.world import Claim

# Every phrase has one head; what else may stand in it are these words.
_DETERMINER, _AUXILIARY, _CASE, _ADJECTIVE = ("DET", "det"), ("AUX", "aux"), ("ADP", "case"), ("ADJ", "amod")
_NEGATION = ("PART", "advmod")
_DEPENDENTS = {
    "en": {
        "the": _DETERMINER, "every": _DETERMINER, "did": _AUXILIARY, "does": _AUXILIARY, "will": _AUXILIARY,
        "not": _NEGATION, "at": _CASE, "in": _CASE, "last": _ADJECTIVE, "next": _ADJECTIVE,
    },
    "sw": {
        "kila": _DETERMINER, "iliyopita": _ADJECTIVE, "uliopita": _ADJECTIVE, "ijayo": _ADJECTIVE, "ujao": _ADJECTIVE,
    },
    "tr": {"her": _DETERMINER, "geçen": _ADJECTIVE, "gelecek": _ADJECTIVE},
    "es": {
        "el": _DETERMINER, "la": _DETERMINER, "cada": _DETERMINER, "no": _NEGATION, "en": _CASE,
        "pasada": _ADJECTIVE, "pasado": _ADJECTIVE, "próxima": _ADJECTIVE, "próximo": _ADJECTIVE,
    },
    "id": {
        "itu": _DETERMINER, "ini": _DETERMINER, "setiap": _DETERMINER, "tidak": _NEGATION, "akan": _AUXILIARY,
        "telah": _AUXILIARY, "di": _CASE, "lalu": _ADJECTIVE, "depan": _ADJECTIVE,
    },
}  # fmt: skip

# Part of speech and relation of a phrase's head; what belongs to the object depends on it, all else on the verb.
_HEADS = {
    "time": ("NOUN", "obl"),
    "subject": ("NOUN", "nsubj"),
    "verb": ("VERB", "root"),
    "number": ("NUM", "nummod"),
    "adjective": ("ADJ", "amod"),
    "noun": ("NOUN", "obj"),
    "place": ("NOUN", "obl"),
}
_OF_THE_OBJECT = ("number", "adjective")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence: `head` is the number from 1 of the word that it depends on, 0 for the root."""

    text: str
    slot: str
    upos: str
    head: int
    relation: str
    is_head: bool


def annotated(claim: Claim, language: str) -> list[Word]:
    """The sentence that says `claim`, word by word, with its full stop (slot "stop").

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    phrases = [(slot, phrase.split()) for slot, phrase in realise(claim, language)]
    heads: dict[str, int] = {}
    number = 0
    for slot, words in phrases:
        for word in words:
            number += 1
            if word not in _DEPENDENTS[language]:
                heads[slot] = number
    found = []
    for slot, words in phrases:
        for word in words:
            if word in _DEPENDENTS[language]:
                upos, relation = _DEPENDENTS[language][word]
                found.append(Word(word, slot, upos, heads[slot], relation, is_head=False))
            else:
                upos, relation = _HEADS[slot]
                above = "noun" if slot in _OF_THE_OBJECT else "verb"
                head = 0 if slot == "verb" else heads[above]
                found.append(Word(word, slot, "PROPN" if word in NAMES else upos, head, relation, is_head=True))
    return [*found, Word(".", "stop", "PUNCT", heads["verb"], "punct", is_head=True)]
