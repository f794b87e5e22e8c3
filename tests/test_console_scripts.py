"""Commands survive modules of the user's own that are named like ours, where the user stands and on PYTHONPATH."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from clnet_geolocalization import PACKAGES, command
from indexer.__main__ import main as indexer_main
from model.__main__ import main as model_main
from model.common import command_line
from model.common.flags import read_flags
from model.synthetic.splits import find_split
from service.first_start import preparation

ROOT = Path(__file__).parents[1]
BROKEN = "raise RuntimeError('this is not yours')\n"
FORMS = [
    {"model.py": BROKEN, "indexer.py": BROKEN, "service.py": BROKEN},
    {"model/__init__.py": BROKEN, "indexer/__init__.py": BROKEN, "service/__init__.py": BROKEN},
    {"model/weights.bin": "", "indexer/x.txt": "", "service/x.txt": ""},
]


@pytest.fixture(params=FORMS, ids=["files", "packages", "folders"])
def users_folder(request, tmp_path):
    """A folder with things of the user's own."""
    for name, text in request.param.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def script_of(name: str) -> str:
    """What pip writes for a console script, as a program."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts[name].split(":")
    return f"import sys; from {module} import {function}; sys.argv[0] = '{name}'; sys.exit({function}())"


def run(words, folder, path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("package", PACKAGES)
def test_console_scripts_find_their_own(users_folder, package):
    name = f"clnet-{package}"
    words = [sys.executable, "-P", "-c", script_of(name), "--help"]
    for path in ([ROOT], [users_folder, ROOT]):
        done = run(words, users_folder, path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"usage: {name} ")


@pytest.mark.parametrize("package", PACKAGES)
def test_commands_of_their_own_processes_find_their_own(users_folder, package):
    for path in ([], [users_folder]):
        done = run(command(package, "--help"), users_folder, path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"usage: clnet-{package} ")


def test_what_the_service_starts_is_such_a_command(users_folder, monkeypatch):
    monkeypatch.chdir(users_folder)
    monkeypatch.setenv("PYTHONPATH", str(users_folder))
    assert preparation._start_module(["indexer", "info", "--index", "nowhere"]).wait() == 1
    assert preparation._start_module(["model", "info"]).wait() == 0


@pytest.mark.parametrize("package", ["indexer", "service"])
def test_python_m_says_in_one_line_what_hides_a_package(tmp_path, package):
    (tmp_path / "model.py").write_text(BROKEN)
    done = run([sys.executable, "-P", "-m", package, "--help"], tmp_path, [tmp_path, ROOT])
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Python finds {tmp_path / 'model.py'} as 'model'")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_that_are_no_packages_hide_nothing_from_python_m(tmp_path, package):
    """Installed in place, submodules are found by a finder of their own, where the package itself is another's."""
    (tmp_path / package).mkdir()
    for other in PACKAGES:
        if other != package:
            (tmp_path / f"{other}.py").write_text(BROKEN)
    finder = tmp_path / "finder"
    finder.mkdir()
    (finder / "sitecustomize.py").write_text(IN_PLACE.format(root=str(ROOT), packages=PACKAGES))
    done = run([sys.executable, "-m", package, "--help"], tmp_path, [finder])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: python -m {package} ")


IN_PLACE = """
import sys
from importlib.machinery import PathFinder

class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top, _, rest = name.partition(".")
        if top in {packages} or name == "clnet_geolocalization":
            below = "/".join(name.split(".")[:-1])
            return PathFinder.find_spec(name, [f"{root}/{{below}}"])

sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in str(one).lower()] + [Finder]
"""
"""What an editable install does, for whatever tree this is: it looks behind all others."""


def test_an_import_says_so_too(tmp_path):
    (tmp_path / "model.py").write_text("")
    done = run([sys.executable, "-P", "-c", "import indexer"], tmp_path, [tmp_path, ROOT])
    assert done.stderr.splitlines()[-1].startswith("ImportError: Python finds ")


def test_another_word_is_no_package(tmp_path):
    done = run([sys.executable, "-P", str(ROOT / "clnet_geolocalization.py"), "indexes"], tmp_path, [])
    assert (done.returncode, done.stderr) == (
        1,
        "error: 'indexes' is no package of this project; give one of model, indexer, service\n",
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_both_forms_name_themselves(package, capsys):
    main = import_module(f"{package}.__main__").main
    for options, name in (({}, f"python -m {package}"), ({"prog": f"clnet-{package}"}, f"clnet-{package}")):
        with pytest.raises(SystemExit, match="0"):
            main(["--help"], **options)
        assert capsys.readouterr().out.startswith(f"usage: {name} ")


@pytest.mark.parametrize(("program", "command"), [(model_main, ()), (indexer_main, ()), (indexer_main, ("localize",))])
def test_every_example_of_a_help_can_be_typed(program, command, capsys, monkeypatch):
    def read(chosen, parsed):
        typed.append(read_flags(command_line._member(chosen.module, chosen.options), parsed))
        return 0

    typed = []
    monkeypatch.setattr(command_line, "_run_chosen", read)
    with pytest.raises(SystemExit, match="0"):
        program([*command, "--help"], prog="clnet")
    examples = capsys.readouterr().out.partition("examples:\n")[2].splitlines()
    assert [program(shlex.split(line)[1:], prog="clnet") for line in examples] == [0] * len(examples)
    assert len(typed) >= 5
    splits = re.findall(r"world:([\w-]+)", "\n".join(examples))
    assert [find_split(name) for name in splits] or program is indexer_main
