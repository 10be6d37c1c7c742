"""The SentencePiece file beside the trimmed tokenizer, read with the sentencepiece library."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from bistil_core.errors import BistilError
from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.sentencepiece_cut import cut_sentencepiece_model
from bistil_core.vocabulary.sentencepiece_model import read_model, tokenizer_from
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from tests.vocabulary.large_tokenizers import real
from tests.vocabulary.sentencepiece_files import assert_same_segmentation, train
from tests.vocabulary.small_tokenizers import sentences

LANGUAGES = ("latin", "arabic")
# Place in the file plus this is the id in the tokenizer.
OFFSETS = {"sentencepiece.bpe.model": 1, "spm.model": 0}
DEBERTA = {
    "pad_id": 0,
    "bos_id": 1,
    "eos_id": 2,
    "unk_id": 3,
    "pad_piece": "[PAD]",
    "bos_piece": "[CLS]",
    "eos_piece": "[SEP]",
    "unk_piece": "[UNK]",
}


def xlm_roberta(folder):
    file = train(folder / "sentencepiece.bpe.model", vocab_size=1400, character_coverage=0.995)
    return file, tokenizer_from(file)


def deberta(folder):
    file = train(folder / "spm.model", vocab_size=1400, character_coverage=0.995, **DEBERTA)
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "DebertaV2Tokenizer"}))
    (folder / "config.json").write_text(json.dumps({"model_type": "deberta-v2"}))
    return file, tokenizer_from(folder)


@pytest.fixture(scope="module", params=[xlm_roberta, deberta])
def cut(request, tmp_path_factory):
    file, old = request.param(tmp_path_factory.mktemp("base"))
    counts = {language: count_tokens(old, sentences(language)) for language in LANGUAGES}
    kept = kept_token_ids(counts, 1e-2, old, character_coverage=1.0)
    new = trim_tokenizer(old, kept)
    folder = tmp_path_factory.mktemp("cut")
    new.save_pretrained(folder)
    cut_sentencepiece_model(file, new.get_vocab(), folder / file.name)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / file.name))
    return SimpleNamespace(file=file, old=old, new=new, folder=folder, processor=processor)


def test_the_file_holds_the_tokenizer_s_pieces_with_their_ids(cut):
    pieces, offset = cut.processor.get_piece_size(), OFFSETS[cut.file.name]
    assert pieces < 0.5 * len(cut.old)
    assert [cut.processor.id_to_piece(index) for index in range(4 - offset, pieces)] == cut.new.convert_ids_to_tokens(
        range(4, pieces + offset)
    )
    assert cut.new.mask_token_id == pieces + offset == len(cut.new) - 1


def test_scores_and_normalisation_are_unchanged(cut):
    before, after = read_model(cut.file), read_model(cut.folder / cut.file.name)
    scores = {piece.piece: (piece.score, piece.type) for piece in before.pieces}
    assert all(scores[piece.piece] == (piece.score, piece.type) for piece in after.pieces)
    assert after.normalizer_spec == before.normalizer_spec
    assert after.trainer_spec.vocab_size == len(after.pieces)


def test_the_library_gives_the_same_pieces(cut):
    texts = [sentence for language in LANGUAGES for sentence in sentences(language)]
    assert_same_segmentation(cut.processor, cut.new, texts, share_of_ties=0.01)
    whole = sentencepiece.SentencePieceProcessor(model_file=str(cut.file))
    assert [cut.processor.encode(text, out_type=str) for text in texts] != [
        whole.encode(text, out_type=str) for text in texts
    ]


@given(st.lists(st.text(sorted(set("".join(sentences("latin") + sentences("arabic")))), max_size=15), max_size=3))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_library_gives_the_same_pieces_for_any_text_of_their_letters(cut, words):
    assert_same_segmentation(cut.processor, cut.new, [" ".join(words)], share_of_ties=1.0)


def test_the_file_alone_makes_the_trimmed_tokenizer(cut, tmp_path):
    (tmp_path / cut.file.name).write_bytes((cut.folder / cut.file.name).read_bytes())
    if cut.file.name == "spm.model":
        for file in ("tokenizer_config.json", "config.json"):
            (tmp_path / file).write_bytes((cut.file.parent / file).read_bytes())
        alone = tokenizer_from(tmp_path)
    else:
        alone = tokenizer_from(tmp_path / cut.file.name)
    assert alone.get_vocab() == cut.new.get_vocab()
    texts = [sentence for language in LANGUAGES for sentence in sentences(language)]
    assert alone(texts)["input_ids"] == cut.new(texts)["input_ids"]


def test_beside_it_the_tokenizer_loads_as_without_it(cut):
    loaded = AutoTokenizer.from_pretrained(cut.folder)
    assert loaded.backend_tokenizer.to_str() == cut.new.backend_tokenizer.to_str()


def test_same_cut_same_bytes(cut, tmp_path):
    cut_sentencepiece_model(cut.file, sorted(cut.new.get_vocab()), tmp_path / "again.model")
    assert (tmp_path / "again.model").read_bytes() == (cut.folder / cut.file.name).read_bytes()


def test_a_file_that_cannot_be_cut_is_refused(tmp_path):
    merges = train(tmp_path / "spm.model", vocab_size=1000, model_type="bpe")
    with pytest.raises(BistilError, match=r"spm\.model is no Unigram model.*delete it"):
        cut_sentencepiece_model(merges, {"a"}, tmp_path / "out.model")
    (tmp_path / "broken.model").write_bytes(b"\xff\xfe no protobuf")
    with pytest.raises(BistilError, match=r"broken\.model is no SentencePiece model"):
        cut_sentencepiece_model(tmp_path / "broken.model", {"a"}, tmp_path / "out.model")
    assert not (tmp_path / "out.model").exists()


@pytest.mark.slow
def test_real_xlm_roberta(tmp_path):
    file = real("tokenizers/xlm-roberta-base/sentencepiece.bpe.model")
    texts = {}
    for language in ("en", "sw"):
        with real(f"text/{language}.txt").open(encoding="utf-8") as lines:
            texts[language] = [line.rstrip("\n") for line in itertools.islice(lines, 0, None, 15)]
    old = tokenizer_from(file)
    counts = {language: count_tokens(old, of_language[::2]) for language, of_language in texts.items()}
    kept = kept_token_ids(counts, 1e-6, old)
    new = trim_tokenizer(old, kept)
    cut_sentencepiece_model(file, new.get_vocab(), tmp_path / "cut.model")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "cut.model"))
    assert processor.get_piece_size() == len(kept) - 2
    for of_language in texts.values():
        assert_same_segmentation(processor, new, of_language[1::2], share_of_ties=0.002)
    alone = tokenizer_from(tmp_path / "cut.model")
    assert np.array_equal(count_tokens(alone, texts["sw"]), count_tokens(new, texts["sw"]))
