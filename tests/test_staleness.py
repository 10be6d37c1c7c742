import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bistil_core.staleness
from bistil_core.errors import BistilError
from bistil_core.staleness import code_digest

PACKAGE = Path(bistil_core.staleness.__file__).parent

FILES = {
    "__init__.py": "NAMES = {}\n",
    "first.py": '"""Doc."""\nimport bistil_core.second\n\n\ndef f(a):\n    """Doc."""\n    return a + 1\n',
    "second.py": "X = 1\n",
    "late.py": "def g():\n    if X:\n        from bistil_core.group import one\n        return one\n",
    "relative.py": "from . import second\nfrom .group.one import Y\nimport os\n",
    "group/__init__.py": '"""Only words."""\n',
    "group/one.py": "Y = 2\n",
    "group/two.py": "Z = 3\n",
    "plugins/__init__.py": (
        "import importlib\n\n\ndef plugin(name):\n    return importlib.import_module(f'{__name__}.{name}').PLUGIN\n"
    ),
    "plugins/red.py": "PLUGIN = 'red'\n",
    "plugins/blue.py": "PLUGIN = 'blue'\n",
    "user.py": "from bistil_core.plugins import plugin\n",
    "torchy.py": "import a_module_that_does_not_exist\nraise SystemExit\n",
}


@pytest.fixture
def digest(tmp_path):
    """code_digest of a small package of the same name, in a process of its own, as one run of Snakemake is."""
    package = tmp_path / "bistil_core"
    for name, content in FILES.items():
        (package / name).parent.mkdir(exist_ok=True, parents=True)
        (package / name).write_text(content)
    for name in ("staleness.py", "errors.py"):
        shutil.copy(PACKAGE / name, package / name)

    def run(*roots, **edits):
        for name, content in edits.items():
            path = package / f"{name.replace('__', '/')}.py"
            path.write_text(content)
        code = "import json, sys; from bistil_core.staleness import *; print(json.dumps(code_digest(*sys.argv[1:])))"
        command = [sys.executable, "-c", code, *map(str, roots)]
        return json.loads(subprocess.check_output(command, cwd=tmp_path, text=True))

    return run


def test_imports_are_followed_at_any_depth_and_in_any_form(digest):
    assert list(digest("bistil_core.first")) == ["bistil_core.first", "bistil_core.second"]
    assert list(digest("bistil_core.late")) == ["bistil_core.group.one", "bistil_core.late"]
    assert list(digest("bistil_core.relative")) == [
        "bistil_core.group.one",
        "bistil_core.relative",
        "bistil_core.second",
    ]


def test_an_edit_changes_the_digest_of_its_module_alone(digest):
    before = digest("bistil_core.first")
    after = digest("bistil_core.first", second="X = 2\n", group__one="Y = 5\n")
    assert before["bistil_core.first"] == after["bistil_core.first"]
    assert before["bistil_core.second"] != after["bistil_core.second"]
    assert all(len(value) == 12 for value in before.values())


@pytest.mark.parametrize(
    "content",
    [
        "import bistil_core.second\n\n\ndef f(a):\n    return a + 1\n",
        '# A comment.\n"""Other words."""\nimport bistil_core.second\ndef f( a ): return (a\n  + 1)  # here too\n',
        'import bistil_core.second\n\n\ndef f(a):\n    "Other words."\n    return a + 1\n',
    ],
)
def test_comments_docstrings_and_layout_do_not_count(digest, content):
    assert digest("bistil_core.first") == digest("bistil_core.first", first=content)


@pytest.mark.parametrize(
    "content",
    [
        "import bistil_core.second\n\n\ndef f(a):\n    return a + 2\n",
        "import bistil_core.second\n\n\ndef f(a):\n    return a - 1\n",
        "import bistil_core.second\n\n\ndef f(a):\n    return a + 1.0\n",
        "import bistil_core.second\n\n\ndef f(a=1):\n    return a + 1\n",
        "import bistil_core.second\n\n\ndef f(a):\n    return 1 + a\n",
        "import bistil_core.second\n\n\ndef f(*, a):\n    return a + 1\n",
        "import bistil_core.second\n\n\nasync def f(a):\n    return a + 1\n",
        "import bistil_core.second\n\n\ndef f(a):\n    return a + 1\n\n\nX = None\n",
    ],
)
def test_code_counts(digest, content):
    assert digest("bistil_core.first") != digest("bistil_core.first", first=content)


def test_a_package_that_imports_computed_names_counts_whole_unless_one_is_named(digest):
    assert list(digest("bistil_core.user")) == [
        "bistil_core.plugins",
        "bistil_core.plugins.blue",
        "bistil_core.plugins.red",
        "bistil_core.user",
    ]
    named = digest("bistil_core.user", "bistil_core.plugins.red")
    assert list(named) == ["bistil_core.plugins", "bistil_core.plugins.red", "bistil_core.user"]
    assert digest("bistil_core.user", "bistil_core.plugins.red", plugins__blue="PLUGIN = 3\n") == named


def test_a_script_is_a_root_under_its_file_name(digest, tmp_path):
    script = tmp_path / "step.py"
    script.write_text("from bistil_core.second import X\nprint(X, snakemake.output[0])\n")
    before = digest(script)
    assert list(before) == ["bistil_core.second", "step.py"]
    script.write_text("from bistil_core.second import X\nprint(X + 1, snakemake.output[0])\n")
    after = digest(script)
    assert before["step.py"] != after["step.py"]
    assert before["bistil_core.second"] == after["bistil_core.second"]


def test_nothing_is_imported_and_the_package_itself_is_left_out(digest):
    assert list(digest("bistil_core.torchy")) == ["bistil_core.torchy"]


@pytest.mark.parametrize("root", ["bistil_core.nothing", "os", "nowhere/step.py"])
def test_roots_that_do_not_exist_are_named(root):
    with pytest.raises(BistilError, match=root):
        code_digest(root)


def test_the_digest_of_real_steps_reaches_what_they_use():
    corpus = code_digest("bistil_core.data.prepare_corpus", "bistil_core.data.text_sources.files")
    assert {"bistil_core.data.text", "bistil_core.files", "bistil_core.data.text_sources"} <= set(corpus)
    assert not any("miniature" in name or "training" in name or "formats" in name for name in corpus)
    training = code_digest("bistil_core.data.prepare_training_data")
    assert {"bistil_core.data.formats.nli", "bistil_core.miniature.examples.nli"} <= set(training)
