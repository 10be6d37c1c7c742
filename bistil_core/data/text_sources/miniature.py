"""Text written by the miniature's generator."""

from bistil_core.data.text_sources import Documents
from bistil_core.miniature.corpus import generate_corpus
from bistil_core.settings.sources import MiniatureText


def documents(source: MiniatureText, language: str, seed: int) -> Documents:
    """As many documents as the settings ask for; the same language and seed give the same ones."""
    return Documents(
        name="miniature",
        revision=None,
        files=[],
        texts=generate_corpus(language, source.documents, seed),
    )
