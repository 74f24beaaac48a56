"""What is installed: the wheel holds the package and every shipped file, and nothing that git does not know."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = "voucherd/_shipped/"
TRAPS = (
    "config/voucherd.toml",
    "config/partners.toml",
    "config/secrets/imap",
    "daemon/voucherd/__pycache__/x.pyc",
    "templates/__pycache__/x.pyc",
    "var/voucherd.db",
)


def known_to_git() -> list[str]:
    """Files in the repository, and those that would be at the next commit."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(git, capture_output=True, text=True)
    if answer.returncode != 0:
        pytest.skip("not a git checkout: there is nothing to compare the wheel with")
    return sorted({name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()})


def place_in_wheel(name: str) -> str | None:
    """Where a file of the repository belongs in the wheel; None where it stays out."""
    if name.startswith("daemon/voucherd/"):
        return name.removeprefix("daemon/")
    is_shipped = name.startswith(("templates/", "systemd/", "config/demo/")) or re.fullmatch(
        r"config/(?:programmes/[^/]+\.toml|invoices/example\.toml|[^/]+\.example\.toml)", name
    )
    return SHIPPED + name if is_shipped else None


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as git knows it, and beside it files that git ignores and that must never be shipped."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in known_to_git():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in TRAPS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("canary")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(checkout)]
    answer = subprocess.run(build, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (file,) = out.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_exactly_the_package_and_the_shipped_files(wheel: zipfile.ZipFile) -> None:
    expected = {place for name in known_to_git() if (place := place_in_wheel(name))}
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == expected
    assert f"{SHIPPED}config/programmes/planning-services.toml" in found
    assert f"{SHIPPED}systemd/voucherd.service" in found
    assert any(name.startswith(f"{SHIPPED}templates/") for name in found)


def test_the_wheel_holds_nothing_that_git_ignores(wheel: zipfile.ZipFile) -> None:
    assert not any(wheel.read(name) == b"canary" for name in wheel.namelist())


def test_the_wheel_brings_its_command_and_licence(wheel: zipfile.ZipFile) -> None:
    info = next(name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name)
    assert "voucherd = voucherd.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert "The voucherd authors" in wheel.read(f"{info}/licenses/LICENSE").decode()


def test_an_installed_package_finds_its_shipped_files(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    program = (
        "from voucherd.resources import shipped, shipped_programmes\n"
        "from voucherd.settings.programme_file import read_programme\n"
        "for name in ('templates', 'systemd/voucherd.service', 'config/voucherd.example.toml'):\n"
        "    assert '_shipped' in str(shipped(name)), shipped(name)\n"
        "for name, file in shipped_programmes().items():\n"
        "    programme, faults = read_programme(file)\n"
        "    assert programme and not faults, faults\n"
        "    print(name)\n"
    )
    clean = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=clean, cwd=tmp_path
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == ["fasttrack", "planning-services"]


@pytest.mark.parametrize("name", ["../pyproject.toml", "/etc/passwd", "templates/../../secret"])
def test_a_shipped_file_is_never_looked_for_elsewhere(name: str) -> None:
    from voucherd.resources import shipped

    with pytest.raises(ValueError, match="not the name of a shipped file"):
        shipped(name)


def test_a_shipped_file_that_is_missing_is_a_broken_installation() -> None:
    from voucherd.resources import shipped

    with pytest.raises(FileNotFoundError, match="install voucherd again"):
        shipped("templates/no-such-language")


def pins(lock: str) -> dict[str, str]:
    """The releases that a lock names; each must have its hash, and none an address."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--index-url|--find-links|@ ", text)
    found = [pin for pin in re.split(r"\n(?=\S)", text.partition("\n")[2]) if "==" in pin]
    assert all("--hash=sha256:" in pin for pin in found)
    return {pin.partition("==")[0].lower(): pin.partition("==")[2].split()[0] for pin in found}


def test_the_locks_hold_every_dependency_with_its_hash_and_no_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    service = [*project["project"]["dependencies"], *groups["install"]]
    service += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    tests = [each for each in groups["dev"] if isinstance(each, str)]
    for lock, wanted in (("requirements.lock", service), ("requirements-dev.lock", [*service, *tests])):
        names = {re.split(r"[\[<>=~! ]", each)[0].lower() for each in wanted}
        assert names <= pins(lock).keys(), f"run `make lock`: {names - pins(lock).keys()}"


def test_a_service_runs_on_the_releases_that_were_tested_and_without_the_tests_own() -> None:
    service, tested = pins("requirements.lock"), pins("requirements-dev.lock")
    assert service.items() <= tested.items()
    assert not service.keys() & {"pytest", "mypy", "ruff", "hypothesis", "aiosmtpd"}
