"""``biskit-pvm doctor``."""

from __future__ import annotations

import sys

import click

from biskit_pvm.cli.common import echo_json, json_option
from biskit_pvm.machine import doctor


@click.command()
@click.argument("hosts", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Check all hosts of your host file.")
@json_option
def command(hosts: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Find out why PVM does not work, here or on HOSTS.

    Checks names, ssh, PVM and Python on each host, and shows the command that fixes what is wrong.
    The exit code is 1 if slaves cannot run on one of the hosts.
    """
    from biskit_pvm import hosts as host_file

    findings = doctor.examine(host_file.nodes_all if every else hosts)
    if as_json:
        echo_json([finding._asdict() for finding in findings])
    else:
        marks = {
            doctor.OK: click.style("ok     ", fg="green"),
            doctor.WARNING: click.style("warning", fg="yellow"),
            doctor.ERROR: click.style("ERROR  ", fg="red", bold=True),
        }
        for finding in findings:
            text = str(finding).replace("\n", "\n        ")
            click.echo(f"{marks[finding.level]} {text}")
    sys.exit(any(finding.level == doctor.ERROR for finding in findings))
