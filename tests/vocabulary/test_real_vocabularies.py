"""The whole cut at the real size, on real text: XLM-R, mBERT, one like mDeBERTa, and byte-pair encoding."""

import itertools

import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.statistics import tokenizer_statistics
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from bistil_core.vocabulary.trimming import trim_vocabulary
from tests.vocabulary.large_tokenizers import BUILDERS, made_up_documents, real

pytestmark = pytest.mark.slow

# With as many rows as the real embeddings have: mDeBERTa's matrix is larger than its vocabulary.
MODELS = {
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel, 250_002),
    "bert": (BertConfig, BertModel, 119_547),
    "deberta": (DebertaV2Config, DebertaV2Model, 251_000),
}
SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
THRESHOLD = 1e-6


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


@pytest.mark.parametrize("name", MODELS)
def test_real_tokenizer(name, tmp_path):
    tokenizer = BUILDERS[name]()
    config_class, model_class, rows = MODELS[name]
    counts = {language: count_tokens(tokenizer, lines(language, 0)) for language in ("en", "sw")}
    kept = kept_token_ids(counts, THRESHOLD, tokenizer)
    assert len(kept) < len(tokenizer) / 3

    config = config_class(vocab_size=rows, pad_token_id=tokenizer.pad_token_id, **SIZES)
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


@pytest.mark.parametrize("name", MODELS)
def test_real_tokenizer_on_scripts_that_were_cut_away(name):
    tokenizer = BUILDERS[name]()
    kept = kept_token_ids({"en": count_tokens(tokenizer, lines("en", 0)[:200])}, 1e-3, tokenizer)
    trimmed = trim_tokenizer(tokenizer, kept)
    for script in ("Георги", "字典漢語", "العربية", "ქართული", "አማርኛ", "ไทย", "हिन्दी", "தமிழ்", "한국어", "🙂"):
        assert trimmed.unk_token_id in trimmed(f"the {script} of the")["input_ids"]
        assert_exact(tokenizer, trimmed, kept, ["the of the", f"the {script} of the"], least_share=0.5)


def test_fifty_thousand_merges(tmp_path):
    tokenizer, documents = BUILDERS["byte pairs"](), made_up_documents()
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
