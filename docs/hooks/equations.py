"""Typesets the equations of docstrings, which are plain text, as MathML.

    L_D = E_x max(0, 1 - D(x)) + E_z max(0, 1 + D(G(z)))        L_G = -E_z D(G(z))

An indented block with an equals sign or an arrow is an equation; four or more spaces within a line separate two of them. Blocks
that are mostly words stay as they are. `Typeset` is the griffe extension that does this for the API reference (see mkdocs.yml).

    >>> print(latex("gamma/2 E_x log D(x)^2"))
    \\frac{\\gamma}{2} \\mathbb{E}_{x} \\log \\, D ( x )^{2}
"""

import re
import textwrap
from typing import Any

import griffe
from latex2mathml.converter import convert

GREEK = "alpha beta gamma delta epsilon theta kappa lambda mu pi psi rho sigma tau phi"
FUNCTIONS = "log exp max min sin cos cosh tanh"
WORDS = {
    **{name: rf"\{name}" for name in f"{GREEK} {FUNCTIONS}".split()},
    "E": r"\mathbb{E}",
    "Gamma": r"\Gamma",
    "N": r"\mathcal{N}",
    "U": r"\mathcal{U}",
    "eps": r"\epsilon",
    "grad": r"\nabla",
    "in": r"\in",
    "inf": r"\infty",
    "int": r"\int",
    "prod": r"\prod",
    "sum": r"\sum",
}
SIGNS = {
    "->": r"\to",
    "<-": r"\leftarrow",
    "!=": r"\neq",
    ">=": r"\geq",
    "<=": r"\leq",
    "||": r"\|",
    "...": r"\ldots",
    "..": r"\ldots",
    "~": r"\sim",
    "*": r"\cdot",
    "%": r"\%",
    "{": r"\{",
    "}": r"\}",
}
OPENING, CLOSING = (
    "\ue000",
    "\ue001",
)  # placeholders of norm bars: latex2mathml does not tell left from right
DISTRIBUTIONS = {"N", "U"}  # before a bracket; elsewhere N is a number
TOKEN = re.compile(
    r"(?P<space>(?<=[,;:])\s{2,}|\s{3,})|(?P<script>[_^])|(?P<tilde>[A-Za-z]~)|(?P<fraction>(?:[A-Za-z]+|\d+)/(?:[A-Za-z]+|\d+))"
    r"|(?P<indexed>[A-Za-z]\d+)|(?P<word>[A-Za-z]+)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<open><(?=[^<>=|]+,[^<>=|]+>))"
    r"|(?P<sign>->|<-|!=|>=|<=|\|\||\.\.\.|\.\.|\S)"
)
PROSE = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+|\ba [a-z]{3,}\b")  # words in a row
MOST_PROSE = 0.4  # largest share of words in an equation, by characters
DOCTEST = re.compile(r"(?m)^([ ]*)>>> .*\n?(?:\1\S.*\n?|\1\.\.\..*\n?)*")
BLOCK = re.compile(r"(?m)(?:^    +\S.*\n?)+")
SECTION = re.compile(r"[A-Z]\w+:$")  # "Arguments:", "References:" and the like


def is_equation(line: str) -> bool:
    """Whether a line of a docstring is an equation, not prose, code or a doctest."""
    if re.search(r">>>|--|`|\"|^\s*(?:\.\.\.|run |import )", line) or not re.search(
        r"=|->|<-|<  |\bE\b|\|", line
    ):
        return False
    prose = sum(len(words) for words in _prose(line))
    return prose <= MOST_PROSE * len(re.sub(r"\s", "", line))


def latex(equation: str) -> str:
    """One equation in LaTeX."""
    parts: list[str] = []
    at = 0
    for match in PROSE.finditer(equation):
        if _is_prose(match.group()):
            parts += [_latex(equation[at : match.start()]), rf"\text{{ {match.group()} }}"]
            at = match.end()
    parts.append(_latex(equation[at:]))
    return " ".join(part for part in parts if part)


def mathml(lines: list[str]) -> str:
    """Lines of equations as MathML, one below the other; continuation lines (indented) are indented."""
    rows: list[str] = []
    for line in lines:
        parts = [latex(part) for part in re.split(r"(?<!:)\s{4,}", line.strip()) if part]
        rows += [r"\qquad " + part for part in parts] if line.startswith("    ") else parts
    body = "".join(str(convert(row, display="block")) for row in rows)
    for bar, form in ((OPENING, "prefix"), (CLOSING, "postfix")):
        body = re.sub(
            rf"<mi>(?:{bar}|&#x0*{ord(bar):X};)</mi>", f'<mo form="{form}" stretchy="false">|</mo>', body
        )
    return f'<div class="equation">{body}</div>'


def typeset(docstring: str) -> str:
    """A docstring with equations as MathML and doctests as fenced code blocks."""

    def replace(match: re.Match[str]) -> str:
        lines = textwrap.dedent(match.group()).splitlines()
        return mathml(lines) + "\n" if _is_equation_block(match, lines) else match.group()

    return DOCTEST.sub(_fence_doctest, BLOCK.sub(replace, docstring))


def find_equations(docstring: str | None) -> list[list[str]]:
    """The equations of a docstring, each as a list of lines."""
    return [
        lines
        for match in BLOCK.finditer(textwrap.dedent(docstring or ""))
        for lines in [textwrap.dedent(match.group()).splitlines()]
        if _is_equation_block(match, lines)
    ]


class Typeset(griffe.Extension):
    """Griffe extension: typesets the equations of every docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = typeset(obj.docstring.value)


def _fence_doctest(match: re.Match[str]) -> str:
    indent, text = match[1], match.group().rstrip("\n")
    return f"\n{indent}```pycon\n{text}\n{indent}```\n"


def _is_equation_block(match: re.Match[str], lines: list[str]) -> bool:
    before = match.string[: match.start()].rstrip("\n").rsplit("\n", 1)[-1]
    return not SECTION.match(before) and all(is_equation(line) for line in _join_continued_lines(lines))


def _join_continued_lines(lines: list[str]) -> list[str]:
    """Joins continuation lines, which are indented further, to the line that they continue."""
    joined: list[str] = []
    for line in lines:
        if joined and line.startswith("    "):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
    return joined


def _prose(line: str) -> list[str]:
    return [words for words in PROSE.findall(line) if _is_prose(words)]


def _is_prose(words: str) -> bool:
    return sum(word not in WORDS for word in words.split()) > 1


def _latex(text: str) -> str:
    """LaTeX of a text without prose."""
    out: list[str] = []
    at, angles = 0, 0
    while match := TOKEN.search(text, at):
        spaced, at = match.start() > at, match.end()
        kind, token = match.lastgroup, match.group()
        if kind == "space":
            out.append(r"\quad")
        elif kind == "tilde":
            out.append(rf"\tilde{{{token[0]}}}")
        elif kind == "script":
            script, at = _script(text, at)
            hat = token == "_" and script == "hat" and out
            out.append(rf"\hat{{{out.pop()}}}" if hat else f"{token}{{{_subscript(script)}}}")
        elif kind == "fraction":
            above, below = token.split("/")
            out.append(rf"\frac{{{_latex(above)}}}{{{_latex(below)}}}")
        elif kind == "indexed":
            out.append(f"{token[0]}_{{{token[1:]}}}")
        elif token == "sqrt" and text[at : at + 1] == "(":
            end = _closing(text, at)
            out.append(rf"\sqrt{{{_latex(text[at + 1 : end])}}}")
            at = end + 1
        elif kind == "word":
            out += _word(
                token, text[at:], spaced and bool(re.search(r"[\w)\]|}]$", text[: match.start()].rstrip()))
            )
        elif kind == "open":
            out.append(r"\langle")
            angles += 1
        elif token == ">" and angles:
            out.append(r"\rangle")
            angles -= 1
        elif token == "*" and re.search(r"\b\w $", text[: match.start()]) and re.match(r" \w\b", text[at:]):
            out.append(r"\ast")  # of two letters: a convolution
        elif (
            token == "|"
            and re.match(r"[^\s_^]", text[at:])
            and re.search(r"(?:^|[\s(\[/-])$", text[: at - 1])
        ):
            out.append(OPENING)
        elif token == "|" and re.search(r"[^\s(\[/-]$", text[: at - 1]) and not re.match(r"\w", text[at:]):
            out.append(CLOSING)
        elif token == "." and at < len(text):
            out.append(r"\cdot")
        else:
            out.append(SIGNS.get(token, token))
    return re.sub(r"(?:\\, ){2,}", r"\\, ", re.sub(r" ([_^]\{|')", r"\1", " ".join(out)))


def _script(text: str, at: int) -> tuple[str, int]:
    """A sub- or superscript starting at `at` (in braces or brackets, or a word, number or sign), and its end."""
    pattern = r"\{(?P<braces>[^{}]*)\}|\((?P<brackets>[^()]*)\)|(?P<one>-?[A-Za-z]+|-?\d+|.)"
    match = re.compile(pattern).match(text, at)
    if not match:
        return "", at
    return next(group for group in match.groups() if group is not None), match.end()


def _subscript(script: str) -> str:
    if script == "E":
        return script
    indices = re.fullmatch(r"[ijkmnxyz]{2}", script)
    return " ".join(script) if indices else _latex(script)


def _word(word: str, after: str, spaced: bool) -> list[str]:
    """LaTeX of a word, with thin spaces around multi-letter names."""
    if (word in DISTRIBUTIONS and not re.match(r"[(\[]", after)) or (word == "E" and after.startswith("(")):
        return [word]
    if word in FUNCTIONS.split():
        return [WORDS[word], *([r"\,"] if re.match(r" [\w|<]", after) else [])]
    if word in WORDS:
        return [WORDS[word]]
    if len(word) == 1:
        return [word]
    before, behind = [r"\,"] if spaced else [], [r"\,"] if re.match(r" [\w|(\[]", after) else []
    return [*before, rf"\mathrm{{{word}}}", *behind]


def _closing(text: str, at: int) -> int:
    """Position of the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)
