"""Templates as a closed language: what they may say is a short list, and nothing in it can run away.

Jinja's sandbox stops escapes but not `'a' * 10**9` (PROMISES.md, templates). So a template is checked before it is
compiled: only text, values, `if` and `for` over the letter's own lists are allowed, two loops deep. No calls, no
filters, no arithmetic, no macros, no includes: the work is bounded by the letter, and the output by a cap.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from voucherd.adapters.letters.sources import TemplateBroken

LARGEST_OUTPUT = 100_000
_DEEPEST_LOOP = 2
_TEMPLATE_FRAME = "<template>"
_PRINTED = (str, int)
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If,
    nodes.For, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Tuple,
    nodes.List,
)  # fmt: skip
_LOOP = {"first": bool, "last": bool, "index": int, "length": int}

Vocabulary = Mapping[str, Any]


def environment(show: Callable[[str], str] | None, *, html: bool = False) -> SandboxedEnvironment:
    """A sandbox without globals, filters and tests; `show` escapes each value for where it lands."""

    def finalize(value: Any) -> Any:
        return show(str(value)) if show else value

    sandbox = _Sandbox(
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    for table in (sandbox.globals, sandbox.filters, sandbox.tests):
        table.clear()
    return sandbox


class _Sandbox(SandboxedEnvironment):
    """Jinja's sandbox, which need not judge the fields of our own views."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A part of a value, as a template asks for it."""
        return (
            getattr(obj, attribute) if attribute in _shown(obj.__class__) else super().getattr(obj, attribute)
        )


@cache
def _shown(kind: type) -> Vocabulary:
    return vocabulary(kind) if is_dataclass(kind) else {}


@cache
def vocabulary(view: type) -> Vocabulary:
    """The names that a view class gives to a template, with their types."""
    return get_type_hints(view)


def compiled(sandbox: SandboxedEnvironment, source: str, names: Vocabulary, first_line: int = 1) -> Template:
    """Checks and compiles a template whose text starts on `first_line` of its file; TemplateBroken otherwise."""
    try:
        tree = sandbox.parse(source)
        _Checker().body(tree.body, dict(names), 0)
        return sandbox.from_string(tree)
    except TemplateBroken as broken:
        raise TemplateBroken(broken.what, broken.line + first_line - 1) from broken
    except TemplateSyntaxError as error:
        raise TemplateBroken(str(error.message), error.lineno + first_line - 1) from error
    except RecursionError as error:
        raise TemplateBroken("is nested too deeply", first_line) from error


def rendered(template: Template, view: Any, largest: int = LARGEST_OUTPUT, first_line: int = 1) -> str:
    """The template, whose text starts on `first_line` of its file, filled from the fields of `view`; TemplateBroken
    where it fails or grows past `largest`."""
    values = {name: getattr(view, name) for name in vocabulary(view.__class__)}
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate(values):
            size += len(piece)
            if size > largest:
                raise TemplateBroken(f"gives more than {largest // 1000} kB")
            pieces.append(piece)
    except TemplateError as error:
        raise TemplateBroken(str(error.message), _line_of(error) + first_line - 1) from error
    return "".join(pieces)


def _line_of(error: TemplateError) -> int:
    """The template's line that was filled in when it failed: Jinja puts a frame for it into the traceback."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _TEMPLATE_FRAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class _Checker:
    """Walks a template's tree; `scope` maps each name to its type."""

    def body(self, body: list[nodes.Node], scope: dict[str, Any], depth: int) -> None:
        for node in body:
            self.statement(node, scope, depth)

    def statement(self, node: nodes.Node, scope: dict[str, Any], depth: int) -> None:
        if isinstance(node, nodes.For):
            self.loop(node, scope, depth)
        elif isinstance(node, nodes.If):
            self.type_of(node.test, scope)
            for part in (node.body, node.elif_, node.else_):
                self.body(list(part), scope, depth)
        elif isinstance(node, nodes.Output):
            for child in node.nodes:
                self.printed(child, scope)
        else:
            raise TemplateBroken(_refused(node), node.lineno)

    def loop(self, node: nodes.For, scope: dict[str, Any], depth: int) -> None:
        if depth >= _DEEPEST_LOOP:
            raise TemplateBroken("loops may be two deep, not more", node.lineno)
        if node.recursive or node.test or not isinstance(node.target, nodes.Name):
            raise TemplateBroken("a loop is written {% for NAME in LIST %}", node.lineno)
        element = _element(self.type_of(node.iter, scope))
        if element is None:
            raise TemplateBroken("this is no list to go through", node.lineno)
        self.body(list(node.body), {**scope, node.target.name: element, "loop": _LOOP}, depth + 1)
        self.body(list(node.else_), scope, depth)

    def printed(self, node: nodes.Expr, scope: dict[str, Any]) -> None:
        if isinstance(node, nodes.TemplateData):
            return
        shown = self.type_of(node, scope)
        if not (isinstance(shown, type) and issubclass(shown, _PRINTED) and shown is not bool):
            raise TemplateBroken(
                "this is no text: name one of its parts, or go through it with for", node.lineno
            )

    def type_of(self, node: nodes.Node, scope: dict[str, Any]) -> Any:
        """The type of an expression; bool for everything that only decides."""
        if not isinstance(node, _ALLOWED):
            raise TemplateBroken(_refused(node), node.lineno)
        if isinstance(node, nodes.Name):
            return _member(node.name, scope, node.lineno)
        if isinstance(node, nodes.Getattr):
            return _member(node.attr, _members(self.type_of(node.node, scope)), node.lineno)
        if isinstance(node, nodes.Const):
            return type(node.value)
        if isinstance(node, nodes.CondExpr):
            return self._choice(node, scope)
        for child in node.iter_child_nodes():
            self.type_of(child.expr if isinstance(child, nodes.Operand) else child, scope)
        return bool

    def _choice(self, node: nodes.CondExpr, scope: dict[str, Any]) -> Any:
        self.type_of(node.test, scope)
        if node.expr2 is not None:
            self.type_of(node.expr2, scope)
        return self.type_of(node.expr1, scope)


def _refused(node: nodes.Node) -> str:
    return f"{type(node).__name__.lower()} is not part of the template language: only values, if and for are"


def _member(name: str, names: Mapping[str, Any], line: int) -> Any:
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = (
            f"did you mean {near[0]!r}?" if near else "known here: " + (", ".join(sorted(names)) or "nothing")
        )
        raise TemplateBroken(f"unknown name {name!r}; {hint}", line)
    return names[name]


def _members(owner: Any) -> Mapping[str, Any]:
    if isinstance(owner, dict):
        return owner
    present = _present(owner)
    return vocabulary(present) if is_dataclass(present) and isinstance(present, type) else {}


def _present(kind: Any) -> Any:
    """X out of `X | None`."""
    if get_origin(kind) in (types.UnionType, Union):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _element(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is tuple else None
