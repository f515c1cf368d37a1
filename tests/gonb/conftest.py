import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "jupyter"))
sys.path.insert(0, str(Path(__file__).parent))

import os  # noqa: E402

import holt  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A Jupyter that knows the holt under test, and nothing of the user's."""
    prefix = tmp_path_factory.mktemp("prefix")
    done = holt.command("install", "--prefix", str(prefix))
    assert done.returncode == 0, done.stderr
    os.environ["JUPYTER_PATH"] = str(prefix / "share" / "jupyter")
    os.environ["HOLT_HISTORY"] = str(prefix / "history.jsonl")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(prefix / "runtime")
