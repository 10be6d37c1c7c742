"""Tokenizers of the real size: XLM-R's, mBERT's, one like mDeBERTa's, and more than 50,000 byte-pair merges."""

import functools
import json
import os
import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import DebertaV2Tokenizer, PreTrainedTokenizerBase, RobertaTokenizer

from bistil_core.vocabulary.sentencepiece_model import tokenizer_from
from tests.vocabulary.small_tokenizers import SCRIPTS

REAL_DATA = Path(os.environ.get("BISTIL_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")


def real(path: str) -> Path:
    """A file or folder of the real data; the test that asks for it is skipped where there is none."""
    if not (REAL_DATA / path).exists():
        pytest.skip(f"no {path} in {REAL_DATA} (BISTIL_REAL_DATA may point elsewhere)")
    return REAL_DATA / path


def _xlm_roberta() -> PreTrainedTokenizerBase:
    return tokenizer_from(real("tokenizers/xlm-roberta-base/sentencepiece.bpe.model"))


def _multilingual_bert() -> PreTrainedTokenizerBase:
    return tokenizer_from(real("tokenizers/bert-base-multilingual-cased"))


def _multilingual_deberta() -> PreTrainedTokenizerBase:
    """As mDeBERTa's, of XLM-R's pieces: special tokens in front, [MASK] no piece but added behind the last one."""
    pieces = json.loads(BUILDERS["xlm-roberta"]().backend_tokenizer.to_str())["model"]["vocab"][4:-1]
    first = [(token, 0.0) for token in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    return DebertaV2Tokenizer(vocab=[*first, *map(tuple, pieces)])


@functools.cache
def made_up_documents() -> list[str]:
    """8,000 of 60 words each, half of them Latin and the others in the scripts of the small tokenizers."""
    generator = random.Random(5)

    def word() -> str:
        if generator.random() < 0.5:
            syllables = (
                generator.choice("ptkbdgmnlrsfvzhj") + generator.choice("aeiouáéíóú")
                for _ in range(generator.randint(2, 6))
            )
            return "".join(syllables)
        first, letters = SCRIPTS[generator.choice(sorted(SCRIPTS))]
        return "".join(chr(first + int(letters * generator.random() ** 2)) for _ in range(generator.randint(1, 6)))

    lexicon = [word() for _ in range(60_000)]
    return [" ".join(lexicon[int(len(lexicon) * generator.random() ** 2)] for _ in range(60)) for _ in range(8_000)]


def _fifty_thousand_merges() -> PreTrainedTokenizerBase:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.train_from_iterator(
        made_up_documents(),
        trainers.BpeTrainer(
            vocab_size=52_000,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    trained = json.loads(backend.to_str())["model"]
    assert len(trained["merges"]) > 50_000
    return RobertaTokenizer(
        vocab={**trained["vocab"], "<mask>": len(trained["vocab"])}, merges=[tuple(pair) for pair in trained["merges"]]
    )


BUILDERS = {
    "xlm-roberta": functools.cache(_xlm_roberta),
    "bert": functools.cache(_multilingual_bert),
    "deberta": functools.cache(_multilingual_deberta),
    "byte pairs": functools.cache(_fifty_thousand_merges),
}
