"""Parameters of notebooks in Go for papermill: papermill in.ipynb out.ipynb -p lr 0.1.

papermill has no entry point for translators. It loads this module for its engine, which is papermill's own, and so
the translator is registered for every kernel whose language is Go.
"""

import json
import math
import re
import threading
from typing import NamedTuple

from papermill.engines import NBClientEngine as Engine  # noqa: F401
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

KEYWORDS = frozenset(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var".split()
)


class Declared(NamedTuple):
    """How the cell with the tag parameters declares a name."""

    name: str
    const: bool
    type: str  # as written, also before the braces of a list or map; empty where it is inferred
    value: str
    help: str  # the comment behind it

    @property
    def is_text(self):
        return self.type == "string" or not self.type and self.value[:1] in ('"', "`")


DECLARATION = re.compile(
    r"""\s*(?:(?P<keyword>var|const)\s+)?(?P<name>[^\W\d]\w*)
        (?P<type>\s+[^=:"`]+?)?\s*
        (?P<assign>:?=)\s*(?P<rest>.*)""",
    re.VERBOSE,
)
LITERAL = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|//(?P<comment>.*)""")
COMPOSITE = re.compile(r"(?P<type>(?:\[\d*\]|map\[\w+\]|[\w.*]|interface\{\})+)\{")


def declarations(source):
    """The variables and constants that a cell declares, one a line, at its top level."""
    found = []
    depth, group = 0, ""
    for line in source.splitlines():
        comment = next((m for m in LITERAL.finditer(line) if m["comment"] is not None), None)
        code = line[: comment.start()] if comment else line
        opens = re.fullmatch(r"\s*(var|const)\s*\(\s*", code)
        if opens and depth == 0:
            group = opens[1]
            continue
        if group and depth == 0 and code.strip() == ")":
            group = ""
            continue
        m = DECLARATION.fullmatch(code) if depth == 0 else None
        if m and m["name"] not in KEYWORDS and (m["keyword"] or group or m["assign"] == ":="):
            value = m["rest"].strip()
            composite = COMPOSITE.match(value)
            typ = (m["type"] or "").strip() or (composite["type"] if composite else "")
            const = (m["keyword"] or group) == "const"
            found.append(Declared(m["name"], const, typ, value, comment["comment"].strip() if comment else ""))
        bare = LITERAL.sub("", code)
        depth += sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
    return found


def quote(text):
    """A string as a literal of Go."""
    text = json.dumps(text, ensure_ascii=False)
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)  # halves of characters, which UTF-8 does not have
    return text.replace("\ufeff", "\\ufeff")  # Go takes no byte order mark within a file


def type_of(value):
    """The narrowest type of Go that holds a value of JSON or YAML."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(1 << 63) <= value < 1 << 63 else "uint64"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (list, tuple)):
        return "[]" + common(value)
    if isinstance(value, dict):
        return "map[string]" + common(value.values())
    return "any"


def common(values):
    """The narrowest type that holds all values."""
    types = {type_of(v) for v in values}
    if types == {"int", "float64"}:
        return "float64"
    return types.pop() if len(types) == 1 else "any"


def literal(value, typ=""):
    """A value of JSON or YAML in Go; a list or map as typ, or else as the narrowest type."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 64:
            raise PapermillException(f"holt_papermill: {value} is beyond Go's integers of 64 bits; pass it as a string")
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "math.NaN()"
        if math.isinf(value):
            return f"math.Inf({1 if value > 0 else -1})"
        return repr(value)
    if isinstance(value, (list, tuple)):
        typ = typ or type_of(value)
        inner = typ[typ.find("]") + 1 :]
        return typ + "{" + ", ".join(element(v, inner) for v in value) + "}"
    if isinstance(value, dict):
        typ = typ or type_of(value)
        inner = typ[typ.find("]") + 1 :]
        return typ + "{" + ", ".join(f"{quote(str(k))}: {element(v, inner)}" for k, v in value.items()) + "}"
    return quote(str(value))


def element(value, typ):
    """A value within a list or map of values of a type."""
    if typ in ("any", "interface{}"):
        if type_of(value) == "uint64":
            return f"uint64({value})"  # Go would take it for an int
        return literal(value)
    return literal(value, typ)


class GoTranslator(Translator):
    """Writes parameters as declarations of Go."""

    # papermill inspects the tagged cell of a notebook just before it writes the parameters, in one call, and hands
    # the writer no notebook: what was declared is remembered in between.
    _last = threading.local()

    @classmethod
    def inspect(cls, parameters_cell):
        found = declarations(parameters_cell["source"])
        cls._last.declared = {d.name: d for d in found}
        return [Parameter(d.name, d.type or "None", d.value, d.help) for d in found]

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        declared = getattr(cls._last, "declared", {})
        cls._last.declared = {}
        lines = [cls.comment(comment)]
        for name, value in parameters.items():
            if not re.fullmatch(r"[^\W\d]\w*", str(name)) or name in KEYWORDS or name == "_":
                raise PapermillException(f"holt_papermill: parameter {name!r} cannot name a variable of Go, want letters, digits and _")
            lines.append(cls.declare(name, value, declared.get(name)))
        return "\n".join(lines) + "\n"

    @classmethod
    def declare(cls, name, value, known):
        """Gives a name a value; one that is known keeps its type."""
        if known is None:
            if value is None:
                return f"var {name} any"
            if type_of(value) == "uint64":
                return f"var {name} uint64 = {literal(value)}"
            return f"{name} := {literal(value)}"
        if known.is_text and value is not None and not isinstance(value, str):
            value = json.dumps(value)  # the command line took it for a number
        text = literal(value, known.type if isinstance(value, (list, tuple, dict)) else "")
        if known.const:
            return f"const {name} {known.type} = {text}" if known.type else f"const {name} = {text}"
        return f"{name} = {text}"


papermill_translators.register("go", GoTranslator)
