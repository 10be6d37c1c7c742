"""Models cut together with their tokenizers: same outputs, right rows, right ids."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    DebertaV2ForTokenClassification,
    ModernBertConfig,
    ModernBertForMaskedLM,
    RobertaConfig,
    RobertaForQuestionAnswering,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
    XLMRobertaModel,
)

from bistil_core.errors import BistilError
from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings
from bistil_core.vocabulary.trimming import trim_vocabulary
from tests.vocabulary.small_tokenizers import BUILDERS, sentences

torch.set_num_threads(1)

ORACLE = Path(__file__).parents[1] / "oracle" / "trim"
EXPECTED = json.loads((ORACLE / "expected.json").read_text())

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
TEXTS = [*sentences("latin")[:6], *sentences("arabic")[:6]]

CASES = {
    "bert": (BertModel, BertConfig, "wordpiece_bert", {}),
    "bert_mlm": (BertForMaskedLM, BertConfig, "wordpiece_bert", {}),
    "bert_mlm_untied": (BertForMaskedLM, BertConfig, "wordpiece_bert", {"tie_word_embeddings": False}),
    "bert_seqcls": (BertForSequenceClassification, BertConfig, "wordpiece_bert", {}),
    "xlmr": (XLMRobertaModel, XLMRobertaConfig, "unigram_xlm_roberta", {}),
    "xlmr_mlm": (XLMRobertaForMaskedLM, XLMRobertaConfig, "unigram_xlm_roberta", {}),
    "xlmr_seqcls": (XLMRobertaForSequenceClassification, XLMRobertaConfig, "unigram_xlm_roberta", {}),
    "deberta_mlm": (DebertaV2ForMaskedLM, DebertaV2Config, "unigram_deberta", {"legacy": True}),
    "deberta_new_mlm": (DebertaV2ForMaskedLM, DebertaV2Config, "unigram_deberta", {"legacy": False}),
    "deberta_tokens": (DebertaV2ForTokenClassification, DebertaV2Config, "unigram_deberta", {}),
    "roberta_qa": (RobertaForQuestionAnswering, RobertaConfig, "bpe_roberta", {}),
    "modernbert_mlm": (ModernBertForMaskedLM, ModernBertConfig, "bpe_with_bytes", {"decoder_bias": True}),
}


def build(model_class, config_class, kind, options):
    tokenizer = BUILDERS[kind]()
    special = {
        f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "bos", "eos", "cls", "sep")
    }
    # As mDeBERTa's matrix, this one has rows beyond the last token.
    size = len(tokenizer) + (37 if config_class is DebertaV2Config else 0)
    torch.manual_seed(3)
    model = model_class(config_class(vocab_size=size, **special, **SIZES, **options)).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.1 * torch.randn_like(value))
    return model, tokenizer


def kept_ids(tokenizer, scripts=("latin", "arabic"), threshold=1e-4):
    return kept_token_ids(
        {script: count_tokens(tokenizer, sentences(script)) for script in scripts}, threshold, tokenizer
    )


def outputs(model, tokenizer):
    with torch.no_grad():
        batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
        result = model(**batch, output_hidden_states=True)
    return batch, result


@pytest.mark.parametrize("case", CASES)
def test_same_output_as_before(case, tmp_path):
    model, tokenizer = build(*CASES[case])
    kept = kept_ids(tokenizer)
    trimmed, trimmed_tokenizer = trim_vocabulary(model, tokenizer, kept)

    trimmed.save_pretrained(tmp_path)
    trimmed_tokenizer.save_pretrained(tmp_path)
    loaded, report = type(model).from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]

    batch, before = outputs(model, tokenizer)
    for cut, cut_tokenizer in ((trimmed, trimmed_tokenizer), (loaded.eval(), AutoTokenizer.from_pretrained(tmp_path))):
        new_batch, after = outputs(cut, cut_tokenizer)
        assert torch.equal(torch.from_numpy(kept)[new_batch["input_ids"]], batch["input_ids"])
        for old, new in zip(before.hidden_states, after.hidden_states, strict=True):
            assert torch.equal(old, new)
        for name in ("start_logits", "end_logits"):
            assert name not in before or torch.equal(before[name], after[name])
        if "logits" in before:
            old = before.logits[..., kept] if case.endswith(("mlm", "untied")) else before.logits
            torch.testing.assert_close(after.logits, old, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_each_row_is_the_row_of_the_same_token(case):
    model, tokenizer = build(*CASES[case])
    kept = kept_ids(tokenizer)
    trimmed, trimmed_tokenizer = trim_vocabulary(model, tokenizer, kept)
    new, old = trimmed.get_input_embeddings(), model.get_input_embeddings()
    assert new.weight.shape[0] == new.num_embeddings == trimmed.config.vocab_size == len(kept) == len(trimmed_tokenizer)
    for token, index in trimmed_tokenizer.get_vocab().items():
        assert torch.equal(new.weight[index], old.weight[tokenizer.convert_tokens_to_ids(token)])
    assert new.padding_idx == trimmed.config.pad_token_id == trimmed_tokenizer.pad_token_id
    for role in ("bos", "eos", "cls", "sep"):
        if getattr(model.config, f"{role}_token_id", None) is not None:
            assert getattr(trimmed.config, f"{role}_token_id") == getattr(trimmed_tokenizer, f"{role}_token_id")


@pytest.mark.parametrize("case", ["bert_mlm", "xlmr_mlm", "deberta_mlm", "modernbert_mlm"])
def test_a_tied_output_layer_stays_tied_and_an_untied_one_does_not_become_so(case):
    model, tokenizer = build(*CASES[case])
    trimmed, _ = trim_vocabulary(model, tokenizer, kept_ids(tokenizer))
    output = trimmed.get_output_embeddings()
    assert output.weight is trimmed.get_input_embeddings().weight
    assert output.out_features == len(output.bias) == trimmed.config.vocab_size
    untied, tokenizer = build(*CASES["bert_mlm_untied"])
    trimmed, _ = trim_vocabulary(untied, tokenizer, kept_ids(tokenizer))
    assert not torch.equal(trimmed.get_output_embeddings().weight, trimmed.get_input_embeddings().weight)


@pytest.mark.parametrize("case", ["bert_mlm", "xlmr_seqcls", "deberta_mlm"])
def test_what_was_given_is_neither_changed_nor_shared(case):
    model, tokenizer = build(*CASES[case])
    before, config = copy.deepcopy(model.state_dict()), model.config.to_dict()
    trimmed, _ = trim_vocabulary(model, tokenizer, kept_ids(tokenizer))
    with torch.no_grad():
        for value in trimmed.parameters():
            value.zero_()
    assert model.config.to_dict() == config
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("case", CASES)
def test_embeddings_alone_are_cut_in_place_to_the_same_model(case):
    model, tokenizer = build(*CASES[case])
    kept = kept_ids(tokenizer)
    expected, _ = trim_vocabulary(model, tokenizer, kept)
    model.requires_grad_(False)
    assert trim_embeddings(model, kept.tolist()) is model
    assert model.config.to_dict() == expected.config.to_dict()
    assert not any(value.requires_grad for value in model.parameters())
    state = model.state_dict()
    assert state.keys() == expected.state_dict().keys()
    for name, value in expected.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_model_without_its_pooler_is_cut_too():
    model, tokenizer = build(*CASES["bert"])
    model.pooler = None
    trimmed, _ = trim_vocabulary(model, tokenizer, kept_ids(tokenizer))
    assert trimmed.pooler is None


def test_positions_follow_a_padding_token_that_moves():
    """RoBERTa counts positions from the padding id: every token must keep the vector of its position."""
    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=60, pad_token_id=7, max_position_embeddings=40, **SIZES)
    model = RobertaModel(config).eval()
    kept = np.array([0, 2, 5, 7, 8, 10, 20, 30])
    ids = torch.tensor([[0, 8, 10, 20, 2], [0, 30, 2, 7, 7]])
    trimmed = trim_embeddings(copy.deepcopy(model), kept)
    new_ids = torch.from_numpy(np.searchsorted(kept, ids.numpy()))
    with torch.no_grad():
        before = model(ids, attention_mask=(ids != 7).long())[0]
        after = trimmed(new_ids, attention_mask=(ids != 7).long())[0]
    assert torch.equal(before, after)
    assert trimmed.config.pad_token_id == 3
    assert trimmed.config.max_position_embeddings == 36


def test_the_loss_of_the_padding_token_is_refused_where_positions_depend_on_it():
    model = RobertaModel(RobertaConfig(vocab_size=60, pad_token_id=7, **SIZES))
    with pytest.raises(BistilError, match="padding token 7"):
        trim_embeddings(model, [0, 1, 2])
    bert = trim_embeddings(BertModel(BertConfig(vocab_size=60, pad_token_id=7, **SIZES)), [0, 1, 2])
    assert bert.config.pad_token_id is None
    assert bert.get_input_embeddings().padding_idx is None


@pytest.mark.parametrize("ids", [[], [3, 2], [2, 2, 3], [-1, 2], [0.5, 1.0], [[0, 1]]])
def test_ids_that_are_no_ascending_ids_are_refused(ids):
    with pytest.raises(BistilError, match="kept_ids"):
        trim_embeddings(BertModel(BertConfig(vocab_size=60, **SIZES)), ids)


def test_a_model_with_fewer_rows_than_the_tokenizer_has_tokens_is_refused():
    _, tokenizer = build(*CASES["bert"])
    model = BertModel(BertConfig(vocab_size=60, **SIZES))
    weights = copy.deepcopy(model.state_dict())
    for cut in (
        lambda: trim_vocabulary(model, tokenizer, kept_ids(tokenizer)),
        lambda: trim_embeddings(model, [0, 60]),
    ):
        with pytest.raises(BistilError, match="has 60 rows"):
            cut()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def corpus(name):
    return (ORACLE / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def reference():
    return AutoModelForMaskedLM.from_pretrained(ORACLE / "xlmr").eval(), AutoTokenizer.from_pretrained(ORACLE / "xlmr")


def test_counts_are_those_of_the_reference(reference):
    _, tokenizer = reference
    expected = json.loads((ORACLE / "xlmr_counts.json").read_text())
    assert count_tokens(tokenizer, corpus("src")).tolist() == expected["counts_source"]
    assert count_tokens(tokenizer, corpus("tgt")).tolist() == expected["counts_target"]


@pytest.mark.parametrize("key", EXPECTED)
def test_cut_is_that_of_the_reference(key, reference, tmp_path):
    model, tokenizer = reference
    expected = EXPECTED[key]
    counts = {name: count_tokens(tokenizer, corpus(name)) for name in ("src", "tgt")}
    kept = kept_token_ids(counts, expected["threshold"], tokenizer)
    assert kept.tolist() == expected["kept_old_ids"]

    trimmed, trimmed_tokenizer = trim_vocabulary(model, tokenizer, kept)
    trimmed_tokenizer.save_pretrained(tmp_path)
    assert trimmed.get_input_embeddings().num_embeddings == expected["model_rows"] == expected["n_kept"]
    assert torch.equal(trimmed.get_input_embeddings().weight, model.get_input_embeddings().weight[kept])
    assert torch.equal(trimmed.lm_head.bias, model.lm_head.bias[kept])
    for name, value in expected["config_special_ids"].items():
        assert getattr(trimmed.config, name) == value

    for cut in (trimmed_tokenizer, AutoTokenizer.from_pretrained(tmp_path)):
        for token, index in expected["expected_special_new_ids"].items():
            assert cut.convert_tokens_to_ids(token) == index
        for probe in expected["as_saved"]["probes"]:
            ids = cut(probe["text"])["input_ids"]
            assert ids == probe["reference_new_ids"]
            if None not in probe["expected_new_ids"]:
                assert ids == probe["expected_new_ids"]
    assert all(max(trimmed_tokenizer(text)["input_ids"]) < len(kept) for text in corpus("other"))
