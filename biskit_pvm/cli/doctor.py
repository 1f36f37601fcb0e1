"""``biskit-pvm doctor``."""

from __future__ import annotations

import os
import socket
import sys

import click

from biskit_pvm import hosts as host_file
from biskit_pvm.cli.common import HOST, echo_json, json_option
from biskit_pvm.machine import doctor
from biskit_pvm.report.progress import count


@click.command()
@click.argument("hosts", nargs=-1, type=HOST)
@click.option("--all", "every", is_flag=True, help="Check all hosts of your host file.")
@json_option
def command(hosts: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Find out why PVM does not work, here or on HOSTS.

    Checks your host file, and names, ssh, PVM and Python on each host, and shows the command that fixes what is wrong.
    The exit code is 1 if slaves cannot run on one of the hosts.
    """
    of_file, named = _examine_host_file()
    findings = [*doctor.examine(named if every else hosts), of_file]
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


def _examine_host_file() -> tuple[doctor.Finding, list[str]]:
    """Return what is found about the user's host file, and the hosts in it."""
    path = host_file.user_file()
    shown = path.replace(os.path.expanduser("~"), "~", 1)

    def finding(level: str, text: str, remedy: str = "") -> doctor.Finding:
        return doctor.Finding(socket.gethostname(), "host file", level, text, remedy)

    try:
        found = host_file.read()
    except host_file.HostsError as error:
        return finding(doctor.ERROR, str(error), f"edit {shown}; then check it with: biskit-pvm hosts"), []
    if not os.path.lexists(path):
        return finding(doctor.OK, f"there is no {shown}, so masters use this computer"), found.nodes_all
    text = f"{shown}: {count(len(found.nodes_all), 'host')}, {count(len(found.cpus_all), 'slave')}"
    return finding(doctor.OK, text), found.nodes_all
