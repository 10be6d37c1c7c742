"""The SentencePiece model file of a tokenizer, cut as its tokenizer.json is."""

from collections.abc import Collection
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2

from bistil_core.errors import BistilError
from bistil_core.files import replacing
from bistil_core.vocabulary.sentencepiece_model import UNIGRAM, XLM_ROBERTA_FILE, read_model

# Under these names XLM-R and mDeBERTa have it beside their tokenizer.json.
MODEL_FILES = (XLM_ROBERTA_FILE, "spm.model")
Piece = sentencepiece_model_pb2.ModelProto.SentencePiece


def cut_sentencepiece_model(source: Path, kept_tokens: Collection[str], output: Path) -> None:
    """Write a model file with just the pieces among `kept_tokens`, in their old order.

    Scores and normalisation stay. A piece's place in the file is as far from its id in the trimmed tokenizer as
    it was before the cut (in XLM-R one less), since both lose the same pieces and neither a special one. The
    library takes the cost of an unknown character from the lowest score of the pieces that are there, which may
    have risen: words with a character that lost its own piece may be segmented otherwise.

    Args:
        source: a Unigram model file.
        kept_tokens: the tokens of the trimmed tokenizer.
        output: the file to write.

    Raises:
        BistilError: the source is no Unigram model file.
    """
    model = read_model(source)
    if model.trainer_spec.model_type != UNIGRAM:
        raise BistilError(
            f"{source} is no Unigram model, the only kind of SentencePiece file that can be cut; delete it, the "
            "tokenizer.json beside it is enough"
        )
    kept_tokens = set(kept_tokens)
    never_in_text = (Piece.UNKNOWN, Piece.CONTROL)
    pieces = [piece for piece in model.pieces if piece.piece in kept_tokens or piece.type in never_in_text]
    del model.pieces[:]
    model.pieces.extend(pieces)
    model.trainer_spec.vocab_size = len(pieces)
    with replacing(output) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))
