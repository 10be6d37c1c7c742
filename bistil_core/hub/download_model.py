"""A base model's files, as they lie on the hub."""

from pathlib import Path

from bistil_core.errors import BistilError
from bistil_core.hub.downloading import download
from bistil_core.hub.repository import RemoteFile, Repository
from bistil_core.settings.sources import HubFiles

SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
SPARSE = "pytorch_diff.bin"

_CONFIGURATION = ("config.json",)
_TOKENIZER = (
    "added_tokens.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spm.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)


def download_model(output: Path, source: HubFiles) -> None:
    """Write a folder with config.json, tokenizer files, weights in one file, and provenance.json.

    The weights are model.safetensors, or pytorch_model.bin where the repository has nothing better.
    Of a sparse fine-tuning pytorch_diff.bin is all that is taken.

    Args:
        output: the folder to write; see `bistil_core.downloads.model_folder`.
        source: `base_models.<name>.source` or `language_sft.<language>` of the configuration.

    Raises:
        BistilError: no such repository, no access, no weights in one file, or the network fails; see
            `bistil_core.hub.repository`.
    """
    repository = Repository("model", source.repository, source.revision)
    files, _ = repository.listing()
    wanted = _wanted(repository, {file.path: file for file in files})
    about = {"repository": source.repository, "revision": source.revision}
    download(output, repository, about, wanted)


def _wanted(repository: Repository, files: dict[str, RemoteFile]) -> list[RemoteFile]:
    if SPARSE in files:
        return [files[SPARSE]]
    weights = next((name for name in (SAFETENSORS, PICKLED) if name in files), None)
    if weights is None:
        shards = "its weights are in several files (model.safetensors.index.json)"
        found = shards if f"{SAFETENSORS}.index.json" in files else f"it has {', '.join(files) or 'no files'}"
        raise BistilError(
            f"{repository.label} has neither {SAFETENSORS} nor {PICKLED}: {found}. Choose another `revision` or "
            "repository, or save the model with save_pretrained into one file and give that folder (kind: folder)"
        )
    names = [name for name in (*_CONFIGURATION, *_TOKENIZER, weights) if name in files]
    if _CONFIGURATION[0] not in names:
        raise BistilError(
            f"{repository.label} has no config.json, so it is no transformers model; correct `repository`"
        )
    return [files[name] for name in names]
