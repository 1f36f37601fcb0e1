"""What several commands share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from biskit_pvm.cli.table import columns

json_option = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")


class _HostName(click.types.StringParamType):
    """A host's name, perhaps with options behind it; blanks and line ends around it are dropped."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        words = str(value).split()
        if not words:
            self.fail("the name of a host is empty", param, ctx)
        return " ".join(words)


HOST = _HostName()


@contextlib.contextmanager
def expecting(*errors: type[Exception]) -> Iterator[None]:
    """Turn errors of these classes, whose text explains them, into a message and exit code 1."""
    try:
        yield
    except errors as error:
        raise click.ClickException(str(error)) from error


def echo_json(data: Any) -> None:
    """Print data as JSON."""
    click.echo(json.dumps(data, indent=2))


def echo_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns."""
    for line in columns(head, rows):
        click.echo(line)
