"""The pages of the API reference: one per package. mkdocstrings fills in the docstrings, without importing anything."""

from itertools import groupby

from source import Module, modules


def pages() -> dict[str, str]:
    """The Markdown of each page by its address."""
    grouped = groupby(
        sorted(modules(), key=lambda module: (module.package, module.name)), lambda module: module.package
    )
    return {f"api/{package}.md": _format_page(package, list(found)) for package, found in grouped}


def index() -> str:
    """A list of the packages."""
    rows = [
        f"| [`{package}`]({package}.md) | {_summary(list(found))} |"
        for package, found in groupby(
            sorted(modules(), key=lambda module: module.package), lambda module: module.package
        )
    ]
    head = "# API reference\n\nGenerated from the docstrings. What a formula's letters mean: [Symbols](../symbols.md).\n"
    return "\n".join([head, "| package | what it is |", "|---|---|", *rows]) + "\n"


def _format_page(package: str, found: list[Module]) -> str:
    title = package if package == "sparring" else f"sparring.{package}"
    face = [module for module in found if module.path.name == "__init__.py"]
    rest = [module for module in found if module not in face]
    rows = [f"| [`{module.path.stem}`](#{module.name}) | {module.summary} |" for module in rest]
    table = "\n".join(["| module | what it is |", "|---|---|", *rows]) if rows else ""
    faces = [_format_face(module) for module in face if module.public_names]
    blocks = [f"::: {module.name}\n    options:\n      heading_level: 2" for module in rest]
    return "\n\n".join([f"# {title}", *(module.summary for module in face), table, *faces, *blocks]) + "\n"


def _format_face(module: Module) -> str:
    """The names that the package's `__init__.py` defines, without those that it re-exports."""
    members = ", ".join(module.public_names)
    options = f"heading_level: 2\n      members: [{members}]"
    return f"::: {module.name}\n    options:\n      {options}"


def _summary(found: list[Module]) -> str:
    return next((module.summary for module in found if module.path.name == "__init__.py"), "")
