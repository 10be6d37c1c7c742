"""Vocabularies of the real size: XLM-R's, mBERT's, and byte-pair encoding with more than 50,000 merges."""

import itertools
import json
import os
import random
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, BertConfig, BertModel, RobertaTokenizer, XLMRobertaConfig, XLMRobertaModel

from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.sentencepiece_model import tokenizer_from
from bistil_core.vocabulary.statistics import tokenizer_statistics
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from bistil_core.vocabulary.trimming import trim_vocabulary

pytestmark = pytest.mark.slow

REAL_DATA = Path(os.environ.get("BISTIL_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
TOKENIZERS = {
    "xlm-roberta": ("xlm-roberta-base/sentencepiece.bpe.model", XLMRobertaConfig, XLMRobertaModel),
    "bert": ("bert-base-multilingual-cased", BertConfig, BertModel),
}
SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
THRESHOLD = 1e-6


def real(path):
    if not (REAL_DATA / path).exists():
        pytest.skip(f"no {path} in {REAL_DATA} (BISTIL_REAL_DATA may point elsewhere)")
    return REAL_DATA / path


def lines(language, start):
    """Every twentieth line of a real text, so that different starts give different lines."""
    with real(f"text/{language}.txt").open(encoding="utf-8") as text:
        return [line.rstrip("\n") for line in itertools.islice(text, start, None, 20)]


def assert_exact(tokenizer, trimmed, kept, texts, least_share):
    """Ids map one to one wherever no removed token was used: in `least_share` of the texts at least."""
    kept_set, unknown, unchanged = set(kept.tolist()), tokenizer.unk_token_id, 0
    is_wordpiece = type(tokenizer.backend_tokenizer.model).__name__ == "WordPiece"
    for before, after in zip(tokenizer(texts)["input_ids"], trimmed(texts)["input_ids"], strict=True):
        assert max(after) < len(kept)
        if kept_set.issuperset(before) and not (is_wordpiece and unknown in before):
            assert kept[after].tolist() == before
            unchanged += 1
    assert unchanged >= least_share * len(texts)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_real_tokenizer(name, tmp_path):
    path, config_class, model_class = TOKENIZERS[name]
    tokenizer = tokenizer_from(real(f"tokenizers/{path}"))
    counts = {language: count_tokens(tokenizer, lines(language, 0)) for language in ("en", "sw")}
    kept = kept_token_ids(counts, THRESHOLD, tokenizer)
    assert len(kept) < len(tokenizer) / 3

    # The real mDeBERTa has rows to spare; so have these.
    config = config_class(vocab_size=len(tokenizer) + 5, pad_token_id=tokenizer.pad_token_id, **SIZES)
    model = model_class(config)
    trimmed_model, trimmed = trim_vocabulary(model, tokenizer, kept)
    assert torch.equal(trimmed_model.get_input_embeddings().weight, model.get_input_embeddings().weight[kept])
    trimmed.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.backend_tokenizer.to_str() == trimmed.backend_tokenizer.to_str()
    assert trimmed.convert_ids_to_tokens(range(len(kept))) == tokenizer.convert_ids_to_tokens(kept.tolist())

    for language in counts:
        held_out = lines(language, 7)
        pieces = [sentence for line in held_out for sentence in line.split(". ")]
        assert_exact(tokenizer, loaded, kept, pieces, least_share=0.4)
        before, after = (tokenizer_statistics(judged, held_out) for judged in (tokenizer, loaded))
        assert after["fertility"] == pytest.approx(before["fertility"], rel=0.02)
        assert after["unknown_rate"] - before["unknown_rate"] < 3e-3


@pytest.mark.parametrize("name", TOKENIZERS)
def test_real_tokenizer_on_scripts_that_were_cut_away(name):
    tokenizer = tokenizer_from(real(f"tokenizers/{TOKENIZERS[name][0]}"))
    kept = kept_token_ids({"en": count_tokens(tokenizer, lines("en", 0)[:200])}, 1e-3, tokenizer)
    trimmed = trim_tokenizer(tokenizer, kept)
    for script in ("Георги", "字典漢語", "العربية", "ქართული", "አማርኛ", "ไทย", "हिन्दी", "தமிழ்", "한국어", "🙂"):
        assert trimmed.unk_token_id in trimmed(f"the {script} of the")["input_ids"]
        assert_exact(tokenizer, trimmed, kept, ["the of the", f"the {script} of the"], least_share=0.5)


def test_fifty_thousand_merges(tmp_path):
    generator = random.Random(5)
    syllables = [
        "".join(generator.choice("ptkbdgmnlrsfvzhj") + generator.choice("aeiouáéíóú") for _ in range(2))
        for _ in range(900)
    ]
    lexicon = ["".join(generator.choices(syllables, k=generator.randint(1, 3))) for _ in range(60_000)]
    documents = [
        " ".join(lexicon[int(len(lexicon) * generator.random() ** 2)] for _ in range(60)) for _ in range(8_000)
    ]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.train_from_iterator(
        documents,
        trainers.BpeTrainer(
            vocab_size=52_000,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    trained = json.loads(backend.to_str())["model"]
    assert len(trained["merges"]) > 50_000
    tokenizer = RobertaTokenizer(
        vocab={**trained["vocab"], "<mask>": len(trained["vocab"])}, merges=[tuple(pair) for pair in trained["merges"]]
    )
    kept = kept_token_ids({"made up": count_tokens(tokenizer, documents[:2_000])}, 2e-5, tokenizer)
    assert 1_000 < len(kept) < 40_000
    model = BertModel(BertConfig(vocab_size=len(tokenizer), pad_token_id=1, **SIZES))
    trimmed_model, trimmed = trim_vocabulary(model, tokenizer, kept)
    assert torch.equal(trimmed_model.get_input_embeddings().weight, model.get_input_embeddings().weight[kept])
    trimmed.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    words = [" " + word for document in documents[4_000:5_000] for word in document.split()]
    assert_exact(tokenizer, loaded, kept, words, least_share=0.3)
    text = "字 – 🙂 " + documents[-1]
    assert loaded.decode(loaded(text, add_special_tokens=False)["input_ids"]) == text
