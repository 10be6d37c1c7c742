"""What the miniature's model reads in pretraining: token ids that know which slot of which claim they say."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from random import Random

from transformers import PreTrainedTokenizerBase

from bistil_core.miniature.corpus import draw_document
from bistil_core.miniature.languages import PRETRAINING_LANGUAGES, realise
from bistil_core.miniature.languages.sentence import Sentence
from bistil_core.miniature.world import Claim

NO_SLOT = -1
_MIXED_DOCUMENTS = 0.35


@dataclass(slots=True)
class EncodedText:
    """Token ids without special tokens; `slots[i]` counts the text's slots up to token i's, NO_SLOT for none."""

    ids: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)


def slot_meanings(claims: Sequence[Claim]) -> dict[tuple[int, str], tuple]:
    """What each (claim, slot) of a document says, language aside: equal where two slots mean the same."""
    meanings: dict[tuple[int, str], tuple] = {}
    for index, claim in enumerate(claims):
        subject, verb, tense, noun, number, adjective, place, time, negated = astuple(claim)
        values = {
            "subject": subject, "verb": (verb, tense, negated), "noun": noun, "number": number,
            "adjective": adjective, "place": place, "time": time,
        }  # fmt: skip
        meanings |= {(index, slot): (slot, value) for slot, value in values.items() if value is not None}
    return meanings


def _mix(sentence: Sentence, other: Sentence, random: Random) -> Sentence:
    """The sentence with half of its phrases, at random, in the other language."""
    translated = dict(other)
    return tuple((slot, phrase if random.random() < 0.5 else translated[slot]) for slot, phrase in sentence)


class TextEncoder:
    """Writes claims in a language and encodes them, phrase by phrase, exactly as the tokenizer would."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Args: tokenizer: splits at white space, so that phrases can be encoded apart."""
        self._tokenizer = tokenizer
        self._phrases: dict[str, list[int]] = {}
        self._full_stop = tokenizer.convert_tokens_to_ids(".")

    def _phrase(self, phrase: str) -> list[int]:
        if phrase not in self._phrases:
            self._phrases[phrase] = self._tokenizer.encode(phrase, add_special_tokens=False)
        return self._phrases[phrase]

    def encode(
        self, claims: Sequence[Claim], language: str, random: Random, numbers: dict[tuple[int, str], int]
    ) -> EncodedText:
        """The document of `claims` in `language`, in a third of the cases mixed with a second language.

        Mixed means half of the phrases, or else half of the sentences, in the other language.

        Args:
            claims: the document.
            language: its main language.
            random: decides on the mixing.
            numbers: the number of each (claim, slot), shared by all translations of the document.
        """
        mixed = random.random() < _MIXED_DOCUMENTS
        by_phrase = random.random() < 0.5
        second = random.choice([code for code in PRETRAINING_LANGUAGES if code != language])
        text = EncodedText()
        for index, claim in enumerate(claims):
            sentence = realise(claim, language)
            if mixed and by_phrase:
                sentence = _mix(sentence, realise(claim, second), random)
            elif mixed and random.random() < 0.5:
                sentence = realise(claim, second)
            for slot, phrase in sentence:
                ids = self._phrase(phrase)
                text.ids += ids
                text.slots += [numbers[index, slot]] * len(ids)
            text.ids.append(self._full_stop)
            text.slots.append(NO_SLOT)
        return text


def draw_claims(random: Random, limit: int) -> list[Claim]:
    """One document of at most `limit` claims."""
    return draw_document(random)[:limit]
