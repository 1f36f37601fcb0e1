"""``biskit-pvm hosts``."""

from __future__ import annotations

import click

from biskit_pvm import hosts as host_file
from biskit_pvm.cli.common import echo_json, echo_table, json_option


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Show the hosts in your host file, ~/.biskit/hosts.py.

    Masters that ask for your hosts use these. Without the file, it is this computer with all its CPUs.
    See the documentation of the module biskit_pvm.hosts for the names that the file can set.
    """
    found = host_file.read()
    if as_json:
        echo_json(found._asdict())
        return
    groups = [(host, group) for group in ("own", "shared", "other") for host in getattr(found, f"nodes_{group}")]
    echo_table(
        ("host", "group", "cpus", "nice", "GB"),
        [
            (
                host,
                group,
                getattr(found, f"cpus_{group}").count(host),
                found.nice_dic.get(host, found.nice_dic["default"]),
                found.ram_dic.get(host, found.ram_dic["default"]),
            )
            for host, group in groups
        ],
    )
