"""Labelled examples in a file of a GitHub repository, from the folder that the download wrote.

Nothing here touches the network.
"""

from collections import Counter

from bistil_core.data.example_sources import Examples
from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.downloads import file_folder, record_of
from bistil_core.settings.sources import GithubExamples


def examples(source: GithubExamples, task: str, language: str, split: str, seed: int) -> Examples:
    """The examples of the downloaded file, in order.

    Raises:
        BistilError: no finished download, or a file that holds no examples of the task; see
            `bistil_core.data.examples`.
    """
    folder = file_folder(source, language)
    record = record_of(folder)
    (file,) = record["files"]
    changed: Counter[str] = Counter()
    table, dropped = read_examples(folder / file["name"], format_of(task), None, changed)
    return Examples(
        name=f"{record['repository']} {record['path']}",
        revision=record["commit"],
        sha256=file["sha256"],
        dropped=dropped,
        table=table,
        changed=dict(changed),
    )
