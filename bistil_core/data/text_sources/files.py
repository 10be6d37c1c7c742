"""Text in files of the user's."""

from bistil_core.data.text import read_documents, text_files
from bistil_core.data.text_sources import Documents
from bistil_core.files import sha256_of
from bistil_core.settings.sources import TextFiles


def documents(source: TextFiles, language: str, seed: int) -> Documents:
    """The documents of all files, in the order in which the configuration gives them.

    Raises:
        BistilError: a file that cannot be read as text; see `bistil_core.data.text`.
    """
    files = text_files(source.paths)
    return Documents(
        name=", ".join(source.paths),
        revision=None,
        files=[{"name": str(file), "sha256": sha256_of(file), "bytes": file.stat().st_size} for file in files],
        texts=read_documents(files),
    )
