"""YAML of an operator's files as Python values, without what PyYAML reads otherwise than it is written, or for ages."""

import re

import yaml
from yaml.tokens import Token

_SHOWN = 60
"""Characters of a key."""
_MOST_DIGITS = 4_000
"""Python refuses to write longer numbers down, in whatever sentence about them."""
_DEEPEST = 64
"""Levels. PyYAML looks at all that are open for each character that may end one."""
_AS_WRITTEN = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_BOOLEAN, _INTEGER = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int"


class RefusedYaml(yaml.MarkedYAMLError):
    """It is YAML, and refused: what (``problem``), where, what to do."""

    def __init__(self, what: str, mark: yaml.Mark | None, do: str) -> None:
        super().__init__(problem=what, problem_mark=mark)
        self.do = do


class Loader(yaml.SafeLoader):
    """YAML without numbers that are too long to be told of, and without endless nesting."""

    def fetch_flow_collection_start(self, TokenClass: type[Token]) -> None:  # noqa: N803 - PyYAML's name
        """Open a bracket."""
        self._go_deeper(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        """Begin a block, if it is one."""
        self._go_deeper(len(self.indents))
        return super().add_indent(column)

    def _go_deeper(self, levels: int) -> None:
        if levels >= _DEEPEST:
            raise RefusedYaml("is nested too deeply", self.get_mark(), "correct it")

    @staticmethod
    def number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
        """An integer.

        Raises:
            ValueError: it is none, or too long.
        """
        if len(node.value) > _MOST_DIGITS:
            raise ValueError("a number of thousands of digits")
        return loader.construct_yaml_int(node)


Loader.add_constructor(_INTEGER, Loader.number)


class OnceLoader(Loader):
    """YAML of files that only Cohort reads: each key stands once in its mapping, and a number is what is written."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._looked_at = set[yaml.MappingNode]()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put in what ``<<`` names, which may be said again; before it each key is looked at.

        Raises:
            RefusedYaml: a key stands twice, or is read as true or false.
        """
        if node not in self._looked_at:
            self._looked_at.add(node)
            keys = set[str]()
            for key, _ in node.value:
                if (named := str(key.value)) in keys:
                    said = f"`{named[:_SHOWN]}` stands here for the second time"
                    raise RefusedYaml(said, key.start_mark, "keep one of them")
                if key.tag == _BOOLEAN:
                    raise RefusedYaml(f"`{named}` is read as true or false here", key.start_mark, "put it in quotes")
                keys.add(named)
        super().flatten_mapping(node)

    @staticmethod
    def plain_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
        """An integer in digits: ``010`` would be 8, and ``12:30`` be 750.

        Raises:
            ValueError: it is none, or too long.
            RefusedYaml: it is written in another way.
        """
        found = Loader.number(loader, node)
        if _AS_WRITTEN.fullmatch(node.value) is None:
            said = f"`{node.value[:_SHOWN]}` is read as the number {found}"
            raise RefusedYaml(
                said[: 2 * _SHOWN], node.start_mark, "write it in plain digits, or in quotes where it is a text"
            )
        return found


OnceLoader.add_constructor(_INTEGER, OnceLoader.plain_number)
