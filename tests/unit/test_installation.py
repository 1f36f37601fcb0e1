"""Which PVM is taken, at build time and at run time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pvm_ext import installation
from pvm_ext.installation import PvmNotFoundError


def debian_tree(prefix: Path, *, headers: bool = True, daemon: bool = True) -> Path:
    """Lay out empty files as Debian's packages do; return the PVM_ROOT."""
    root = prefix / "lib" / "pvm3"
    files = ["lib/x86_64-linux-gnu/libpvm3.so", "lib/x86_64-linux-gnu/libgpvm3.so"]
    files += ["include/pvm3.h"] * headers
    lay_out(prefix, files, ["lib/pvm3/lib/pvmd", "lib/pvm3/lib/pvm"] * daemon)
    return root


def lay_out(folder: Path, files: list[str], programs: list[str]) -> None:
    for name in files + programs:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755 if name in programs else 0o644)


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Let the system, the package and the environment have no PVM."""
    monkeypatch.delenv("PVM_ROOT", raising=False)
    monkeypatch.setattr(installation, "_SYSTEM_PREFIXES", (str(tmp_path / "usr"),))
    monkeypatch.setattr(installation, "BUNDLE", tmp_path / "no" / "_pvm3")
    monkeypatch.setattr(installation.sysconfig, "get_config_var", lambda name: "x86_64-linux-gnu")
    return tmp_path


def test_building_takes_pvm_root_first_then_the_system_then_vendor(nowhere):
    told: list[str] = []
    vendor = nowhere / "vendor" / "pvm3"
    debian_tree(vendor / "usr")
    build = installation.for_building
    assert build(vendor, {}, told.append).origin == "vendor"
    system = debian_tree(nowhere / "usr")
    assert build(vendor, {}, told.append).root == system
    chosen = debian_tree(nowhere / "chosen")
    found = build(vendor, {"PVM_ROOT": str(chosen)}, told.append)
    assert (found.origin, found.root) == ("PVM_ROOT", chosen)
    assert found.include == nowhere / "chosen" / "include"
    assert found.libraries == nowhere / "chosen" / "lib" / "x86_64-linux-gnu"
    assert told[0] == "PVM: PVM_ROOT is not set"
    assert told[-1].startswith(f"PVM: PVM_ROOT={chosen}: found")


def test_building_passes_over_a_system_without_headers_and_says_so(nowhere):
    told: list[str] = []
    debian_tree(nowhere / "usr", headers=False)
    debian_tree(nowhere / "vendor" / "usr")
    assert installation.for_building(nowhere / "vendor", {}, told.append).origin == "vendor"
    assert any("no headers (package pvm-dev)" in line for line in told)


def test_building_without_pvm_names_both_ways_out(nowhere):
    with pytest.raises(PvmNotFoundError, match=r"(?s)vendor/get_pvm3.*PVM_ROOT"):
        installation.for_building(nowhere / "vendor", {}, lambda line: None)


def test_building_refuses_a_wrong_pvm_root_though_there_is_another(nowhere):
    debian_tree(nowhere / "usr")
    with pytest.raises(PvmNotFoundError, match="has no pvm3.h"):
        installation.for_building(nowhere / "vendor", {"PVM_ROOT": "/nowhere"}, lambda line: None)


def test_the_layout_of_pvms_own_sources_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PVM_ARCH", "LINUX64")
    lay_out(
        tmp_path,
        ["include/pvm3.h", "lib/LINUX64/libpvm3.a", "lib/LINUX64/libgpvm3.a"],
        ["lib/pvmd", "lib/LINUX64/pvmd3", "lib/LINUX64/pvm", "bin/LINUX64/pvmgs"],
    )
    found = installation.examine(tmp_path, "PVM_ROOT")
    assert found.can_build and found.can_run
    assert found.daemon == tmp_path / "lib" / "pvmd"
    assert found.console == tmp_path / "lib" / "LINUX64" / "pvm"
    assert found.group_server == tmp_path / "bin" / "LINUX64" / "pvmgs"


def test_running_takes_pvm_root_before_the_bundle(nowhere, monkeypatch):
    bundle = nowhere / "_pvm3"
    lay_out(bundle, ["lib/libpvm3.so.3", "lib/libgpvm3.so.3"], ["lib/pvmd", "lib/pvm"])
    monkeypatch.setattr(installation, "BUNDLE", bundle)
    assert installation.find().origin == "bundled"
    assert installation.environment() == {"PVM_ROOT": str(bundle)}
    monkeypatch.setenv("PVM_ROOT", str(bundle))  # as the bundled daemon gives to its tasks
    assert installation.find().origin == "bundled"
    chosen = debian_tree(nowhere / "chosen")
    monkeypatch.setenv("PVM_ROOT", str(chosen))
    assert installation.daemon() == chosen / "lib" / "pvmd"


def test_programs_below_a_pvm_root_are_told_where_their_library_is(nowhere, monkeypatch):
    chosen = debian_tree(nowhere / "chosen")
    libraries = nowhere / "chosen" / "lib" / "x86_64-linux-gnu"
    (libraries / "libpvm3.so.3").touch()
    monkeypatch.setenv("PVM_ROOT", str(chosen))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/mine:{libraries}")
    assert installation.environment()["LD_LIBRARY_PATH"] == f"{libraries}:/mine"


def test_a_pvm_root_without_daemon_is_an_error_not_another_pvm(nowhere, monkeypatch):
    monkeypatch.setenv("PVM_ROOT", str(debian_tree(nowhere / "chosen", daemon=False)))
    with pytest.raises(PvmNotFoundError, match=r"has no pvmd"):
        installation.find()


def test_a_missing_group_server_is_named(nowhere, monkeypatch):
    monkeypatch.setenv("PVM_ROOT", str(debian_tree(nowhere / "chosen")))
    with pytest.raises(PvmNotFoundError, match="group server"):
        installation.group_server()


def test_packages_are_those_that_get_pvm3_has_set_down(nowhere):
    vendor = nowhere / "vendor" / "pvm3"
    root = debian_tree(vendor / "usr")
    (vendor / "packages.txt").write_text("libpvm3 3.4.6-5 amd64 pinned\npvm 3.4.6-5 amd64 pinned\n")
    assert installation.examine(root, "vendor").packages() == [
        "libpvm3 3.4.6-5 amd64 pinned",
        "pvm 3.4.6-5 amd64 pinned",
    ]
    assert installation.examine(debian_tree(nowhere / "own"), "PVM_ROOT").packages() == []


def test_packages_of_the_system_are_those_that_dpkg_knows(tmp_path, monkeypatch):
    rows = "installed libpvm3 3.4.6-5 amd64 installed\nnot-installed pvm-dev   installed\n"
    (tmp_path / "dpkg-query").write_text(f"#!/bin/sh\nprintf '{rows}'\n")
    (tmp_path / "dpkg-query").chmod(0o755)
    system = installation.Installation("system", Path("/usr/lib/pvm3"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system.packages() == ["libpvm3 3.4.6-5 amd64 installed"]
    monkeypatch.setenv("PATH", "/nowhere")
    assert system.packages() == []
