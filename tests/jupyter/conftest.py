import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import holt  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def installed(tmp_path_factory):
    """A Jupyter that knows the holt under test, and nothing of the user's."""
    if not Path(holt.HOLT).exists():
        pytest.exit(f"tests/jupyter: no holt at {holt.HOLT}; build it with make bin/holt, or name it with HOLT_BIN", 2)
    prefix = tmp_path_factory.mktemp("prefix")
    done = holt.command("install", "--prefix", str(prefix))
    assert done.returncode == 0, done.stderr
    done = holt.command("gopls", timeout=holt.FIRST_CELL)  # there already where make brought it
    assert done.returncode == 0, done.stderr
    os.environ["JUPYTER_PATH"] = str(prefix / "share" / "jupyter")
    os.environ["HOLT_HISTORY"] = str(prefix / "history.jsonl")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(prefix / "runtime")
    return prefix


@pytest.fixture(scope="session")
def shared(installed, tmp_path_factory):
    """A kernel for tests that leave it as it was, but for new names."""
    k = holt.Kernel(cwd=tmp_path_factory.mktemp("notebook"))
    yield k
    k.close()


@pytest.fixture
def kernel(shared):
    """The shared kernel, emptied of what earlier tests sent."""
    while shared.client.iopub_channel.msg_ready():
        shared.client.get_iopub_msg(timeout=1)
    while shared.client.shell_channel.msg_ready():
        shared.client.get_shell_msg(timeout=1)
    return shared


@pytest.fixture
def fresh(installed, tmp_path):
    """A kernel of one's own."""
    k = holt.Kernel(cwd=tmp_path)
    yield k
    k.close()
