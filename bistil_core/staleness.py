"""Which code decides what a step writes, so that Snakemake reruns a step when that code changes.

Snakemake itself does not look into imported modules. A rule that has `code=code_digest(...)` among its params is
rerun when its own code changes, and the reason that is shown names the changed module.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from bistil_core.errors import BistilError

_PACKAGE = Path(__file__).parent
_NAME = _PACKAGE.name
_DIGITS = 12


def code_digest(*roots: str) -> dict[str, str]:
    """The code that `roots` reach by imports within bistil_core, at any depth of a file, without importing any.

    A package that imports the modules below it by a computed name (`import_module(f"{__name__}.{name}")`, as tasks
    and sources do) counts with all of them, unless one is reached otherwise: naming `bistil_core.tasks.nli` among
    the roots leaves the other tasks out. Left out are bistil_core/__init__.py, which says only where public names
    are found and runs before every step, modules without code, and data files.

    Args:
        roots: names of modules, such as "bistil_core.data.prepare_corpus", or paths of workflow scripts.

    Returns:
        Name of the module (of a script: of the file) -> 12 hexadecimal digits of its code's SHA-256, sorted. The
        code is the syntax tree: comments, docstrings and layout do not count.

    Raises:
        BistilError: a root that does not exist.
    """
    scripts = {Path(root).name: Path(root) for root in roots if root.endswith(".py")}
    missing = [str(path) for path in scripts.values() if not path.is_file()]
    modules = [root for root in roots if not root.endswith(".py")]
    missing += [root for root in modules if _file_of(root) is None]
    if missing:
        raise BistilError(f"no code to digest at {', '.join(missing)}: give a module of {_NAME} or a script's path")

    read = {name: _read(path) for name, path in scripts.items()}
    reached = _closure([*modules, *(name for _, imports, _ in read.values() for name in imports)])
    read |= {name: _read(_file_of(name)) for name in reached}
    return {name: digest for name, (digest, _, _) in sorted(read.items()) if digest}


def _closure(modules: Iterable[str]) -> set[str]:
    """The modules, what they import, and what packages among those import by computed names."""
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        while waiting:
            name = waiting.pop()
            if name not in reached and name != _NAME and _file_of(name) is not None:
                reached.add(name)
                waiting.append(name.rpartition(".")[0])
                waiting.extend(_read(_file_of(name))[1])
        for package in reached:
            if _read(_file_of(package))[2] and not any(name.startswith(f"{package}.") for name in reached):
                waiting.extend(_modules_below(package))
    return reached


def _modules_below(package: str) -> Iterator[str]:
    for file in _file_of(package).parent.iterdir():
        if file.suffix == ".py" and file.name != "__init__.py":
            yield f"{package}.{file.stem}"


@cache
def _file_of(module: str) -> Path | None:
    """The file of a module or package of bistil_core; None where there is none."""
    first, *rest = module.split(".")
    if first != _NAME:
        return None
    path = _PACKAGE.joinpath(*rest)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


@cache
def _read(path: Path) -> tuple[str, tuple[str, ...], bool]:
    """Digest of a file's code ("" where it has none), names it may import, whether it imports computed names."""
    imports: set[str] = set()
    computed = False
    words: list[str] = []
    waiting: list[object] = ast.parse(path.read_bytes()).body
    _drop_docstrings(waiting)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            words.append(type(node).__name__)
            _add_fields(node, words, waiting)
            if isinstance(node, ast.Import):
                imports.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imports.update(_imported_from(node, path))
            elif isinstance(node, ast.Call) and path.name == "__init__.py":
                computed = computed or _imports_computed_name(node)
        else:
            words.append(repr(node))
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:_DIGITS] if words else ""
    return digest, tuple(sorted(imports)), computed


def _add_fields(node: ast.AST, words: list[str], waiting: list[object]) -> None:
    """Write down a node's fields and put their nodes on the stack.

    Not `ast.dump`: that takes twice the time, and newer Pythons have new fields that are absent or empty here.
    Whether a name is read or written (`ctx`) follows from where it stands.
    """
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or name == "ctx":
            continue
        if isinstance(value, list):
            if name == "body":
                _drop_docstrings(value)
            if value:
                words.append(f"{name} {len(value)}")
                waiting.extend(value)
        elif isinstance(value, ast.AST):
            words.append(name)
            waiting.append(value)
        else:
            words.append(f"{name} {value!r}")


def _drop_docstrings(body: list[object]) -> None:
    body[:] = [statement for statement in body if not _is_docstring(statement)]


def _imported_from(node: ast.ImportFrom, path: Path) -> list[str]:
    """The module of a from-import and, since any of them may be a module too, the names imported from it."""
    module = node.module or ""
    if node.level:
        folder = path.parents[node.level - 1]
        if not folder.is_relative_to(_PACKAGE):
            return []
        module = ".".join(filter(None, (_NAME, *folder.relative_to(_PACKAGE).parts, module)))
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


def _imports_computed_name(call: ast.Call) -> bool:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return function == "import_module" and not isinstance(call.args[0], ast.Constant)


def _is_docstring(statement: object) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
