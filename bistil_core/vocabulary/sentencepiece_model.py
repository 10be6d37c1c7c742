"""Tokenizers from what a user has on disk: a folder, or the SentencePiece model of XLM-R."""

from pathlib import Path

from google.protobuf.message import DecodeError
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken
from transformers import AutoTokenizer, PreTrainedTokenizerBase, XLMRobertaTokenizer

from bistil_core.errors import BistilError

# fairseq's order in front of the pieces; the model file itself begins with <unk>, <s>, </s>.
FAIRSEQ_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
MODEL_TOKENS = ["<unk>", "<s>", "</s>"]
UNIGRAM = 1
XLM_ROBERTA_FILE = "sentencepiece.bpe.model"


def tokenizer_from(path: str | Path) -> PreTrainedTokenizerBase:
    """The fast tokenizer in a folder that `save_pretrained` wrote, or that of an XLM-R `.model` file.

    Raises:
        BistilError: it is neither.
    """
    path = Path(path)
    if path.is_dir():
        try:
            return AutoTokenizer.from_pretrained(str(path), local_files_only=True)
        except (OSError, ValueError) as error:
            raise BistilError(
                f"{path} holds no tokenizer that transformers can load ({str(error).splitlines()[0]}); save one "
                "into it with tokenizer.save_pretrained"
            ) from error
    if path.is_file() and path.suffix == ".model":
        return _xlm_roberta(path)
    raise BistilError(
        f"{path} is no tokenizer; give a folder that tokenizer.save_pretrained wrote, or XLM-R's "
        f"SentencePiece file {XLM_ROBERTA_FILE}"
    )


def read_model(path: Path) -> sentencepiece_model_pb2.ModelProto:
    """The content of a SentencePiece model file.

    Raises:
        BistilError: it is none.
    """
    proto = sentencepiece_model_pb2.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise BistilError(f"{path} is no SentencePiece model file: {error}") from error
    return proto


def _xlm_roberta(path: Path) -> XLMRobertaTokenizer:
    """XLM-R's tokenizer: each piece one id higher than in the model file, <pad> put in, <mask> at the end."""
    proto = read_model(path)
    first = [piece.piece for piece in proto.pieces[: len(MODEL_TOKENS)]]
    if first != MODEL_TOKENS or proto.trainer_spec.model_type != UNIGRAM:
        raise BistilError(
            f"{path} is no SentencePiece model of XLM-R: a Unigram model that begins with "
            f"{', '.join(MODEL_TOKENS)} is needed, this one begins with {', '.join(first) or 'nothing'}. For other "
            "models give a folder that tokenizer.save_pretrained wrote"
        )
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[len(MODEL_TOKENS) :]]
    return XLMRobertaTokenizer(
        vocab=[*((token, 0.0) for token in FAIRSEQ_TOKENS), *pieces, ("<mask>", 0.0)],
        mask_token=AddedToken("<mask>", lstrip=True, normalized=False, special=True),
        _spm_precompiled_charsmap=proto.normalizer_spec.precompiled_charsmap or None,
        model_max_length=512,
    )
