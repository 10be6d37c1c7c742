"""Tokenizers from folders and SentencePiece files, held against the sentencepiece library."""

import itertools

import pytest
import sentencepiece
from transformers import XLMRobertaTokenizer

from bistil_core.errors import BistilError
from bistil_core.vocabulary.sentencepiece_model import tokenizer_from
from tests.vocabulary.large_tokenizers import real
from tests.vocabulary.sentencepiece_files import assert_same_segmentation, train
from tests.vocabulary.small_tokenizers import BUILDERS, SCRIPTS, all_sentences, sentences


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    return train(tmp_path_factory.mktemp("spm") / "small.model", vocab_size=1400, character_coverage=0.995)


def test_small_model_segments_as_the_library_does(model_file):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model_file))
    texts = [*all_sentences(), "ﬁne  ①②  spaces ", "unbekannt: 🙂", "tab\tand\u00a0space"]
    assert_same_segmentation(processor, tokenizer_from(model_file), texts, share_of_ties=0.01)


def test_special_tokens_are_where_fairseq_put_them(model_file):
    tokenizer = tokenizer_from(str(model_file))
    assert isinstance(tokenizer, XLMRobertaTokenizer)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model_file)).get_piece_size()
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, pieces + 1]
    assert len(tokenizer) == pieces + 2
    ids = tokenizer("a <mask> b", "c")["input_ids"]
    assert (ids[0], ids[-1], ids.count(2), ids.count(pieces + 1)) == (0, 2, 3, 1)


def test_a_folder_is_loaded_as_it_was_saved(tmp_path):
    saved = BUILDERS["unigram_deberta"]()
    saved.save_pretrained(tmp_path)
    texts = [sentences(script)[0] for script in SCRIPTS]
    assert tokenizer_from(tmp_path)(texts)["input_ids"] == saved(texts)["input_ids"]


def test_the_model_file_comes_back_from_a_folder_unchanged(model_file, tmp_path):
    tokenizer = tokenizer_from(model_file)
    tokenizer.save_pretrained(tmp_path)
    loaded = tokenizer_from(tmp_path)
    assert loaded.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert loaded.model_max_length == 512


def test_anything_else_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BistilError, match=r"empty holds no tokenizer"):
        tokenizer_from(tmp_path / "empty")
    with pytest.raises(BistilError, match=r"nowhere is no tokenizer"):
        tokenizer_from(tmp_path / "nowhere")
    (tmp_path / "vocab.txt").write_text("a\n")
    with pytest.raises(BistilError, match=r"vocab\.txt is no tokenizer"):
        tokenizer_from(tmp_path / "vocab.txt")
    (tmp_path / "broken.model").write_bytes(b"\xff\xfe no protobuf")
    with pytest.raises(BistilError, match=r"broken\.model is no SentencePiece model"):
        tokenizer_from(tmp_path / "broken.model")
    (tmp_path / "hollow.model").write_bytes(b"")
    with pytest.raises(BistilError, match="begins with nothing"):
        tokenizer_from(tmp_path / "hollow.model")


@pytest.mark.parametrize("options", [{"model_type": "bpe"}, {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}])
def test_another_model_s_sentencepiece_file_is_refused(options, tmp_path):
    path = train(tmp_path / "other.model", vocab_size=1000, **options)
    with pytest.raises(BistilError, match=r"no SentencePiece model of XLM-R"):
        tokenizer_from(path)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "sw"])
def test_real_xlm_roberta_segments_as_the_library_does(language):
    model = real("tokenizers/xlm-roberta-base/sentencepiece.bpe.model")
    tokenizer = tokenizer_from(model)
    assert len(tokenizer) == 250_002
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, 250_001]
    with real(f"text/{language}.txt").open(encoding="utf-8") as lines:
        texts = [line.rstrip("\n") for line in itertools.islice(lines, 0, 60_000, 20)]
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    # The rebuilt model's scores are rounded, so near-ties exist.
    assert_same_segmentation(processor, tokenizer, texts, share_of_ties=0.002)
