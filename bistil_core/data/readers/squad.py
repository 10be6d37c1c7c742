"""Questions as SQuAD v1.1 nests them: articles hold paragraphs, paragraphs a context and questions on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bistil_core.data.format import shown
from bistil_core.data.readers import parsed_json
from bistil_core.data.text import lines_of
from bistil_core.errors import BistilError


def read_squad(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The questions of a file, in order: `id`, `context`, `question` and `answers`, as they are written there.

    Raises:
        BistilError: a file that is no JSON of SQuAD's shape, with the entry where it departs from it.
    """
    text = "\n".join(line for _, line in lines_of(path))
    whole = parsed_json(path, "the file", text)
    for article_place, article in _entries(path, "$", whole, "data"):
        for paragraph_place, paragraph in _entries(path, article_place, article, "paragraphs"):
            context = _value(path, paragraph_place, paragraph, "context")
            for place, question in _entries(path, paragraph_place, paragraph, "qas"):
                values = {field: _value(path, place, question, field) for field in ("id", "question", "answers")}
                yield place, values | {"context": context}


def _entries(path: Path, place: str, parent: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Where each entry of the list `parent[key]` stands, as a JSON path, and the entry."""
    entries = _value(path, place, parent, key)
    if not isinstance(entries, list):
        raise BistilError(f"{path}: {place}: {key} is {shown(entries)} where SQuAD has a list; correct the file")
    yield from ((f"{place}.{key}[{index}]", entry) for index, entry in enumerate(entries))


def _value(path: Path, place: str, parent: Any, key: str) -> Any:
    if not isinstance(parent, dict) or key not in parent:
        found = f"the keys {', '.join(parent)}" if isinstance(parent, dict) else shown(parent)
        raise BistilError(
            f"{path}: {place}: no `{key}`, found {found}; a .json file of questions has SQuAD's shape "
            "(data: paragraphs: context and qas), a question per line goes into a .jsonl file"
        )
    return parent[key]
