"""SentencePiece model files trained on the made-up sentences, and how to compare with the library that reads them."""

import pytest
import sentencepiece

from tests.vocabulary.small_tokenizers import all_sentences


def train(path, **options):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(all_sentences()),
        model_prefix=str(path.with_suffix("")),
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
        **options,
    )
    path.with_suffix(".vocab").unlink()
    return path


def log_probability(processor, pieces):
    """Of a segmentation, an unknown character costing 10 more than the rarest piece."""
    scores = [processor.get_score(index) for index in range(processor.get_piece_size())]
    ids = [processor.piece_to_id(piece) for piece in pieces]
    return sum(min(scores) - 10 if index == processor.unk_id() else scores[index] for index in ids)


def assert_same_segmentation(processor, tokenizer, texts, share_of_ties):
    """Token by token that of the library; where they differ, both are equally good to float precision."""
    ties = 0
    for text, ids in zip(texts, tokenizer(texts, add_special_tokens=False)["input_ids"], strict=True):
        pieces = tokenizer.convert_ids_to_tokens(ids)
        expected = [processor.id_to_piece(index) for index in processor.encode(text)]
        if pieces != expected:
            ties += 1
            assert log_probability(processor, pieces) == pytest.approx(log_probability(processor, expected), abs=1e-3)
    assert ties <= share_of_ties * len(texts)
