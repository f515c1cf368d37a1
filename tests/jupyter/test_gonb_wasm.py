"""%wasm: the program that a cell becomes. tests/browser runs one in a page."""

import json
import re
import shutil
import subprocess

import pytest

import holt


@pytest.fixture
def served(installed, tmp_path, monkeypatch):
    """A kernel whose Jupyter server, which is this process, serves tmp_path."""
    monkeypatch.chdir(tmp_path)
    k = holt.Kernel(cwd=tmp_path)
    yield k
    k.close()
    assert not (tmp_path / "jupyter_files").exists(), "the kernel's files outlive it"


def test_program(served, tmp_path):
    served.do('type pair struct{ a, b int }\nfunc (p pair) sum() int { return twice(p.a) + p.b }\nfunc twice(n int) int { return 2 * n }\nlive := 7')
    ran = served.do(
        """
%wasm
!echo dir=$GONB_WASM_DIR url=$GONB_WASM_URL
var word = flag.String("word", "none", "printed")

func say() { fmt.Println(*word, pair{20, 2}.sum(), live, strings.ToUpper(GonbWasmUrl)) }

%% --word=hello
say()
""",
        timeout=holt.FIRST_CELL,
    )
    folder, url = re.match(r"dir=(\S+) url=(\S+)\n", ran.stdout).groups()
    assert folder.startswith(str(tmp_path / "jupyter_files" / "gonb_"))
    assert url == "/files/jupyter_files/" + folder.rsplit("/", 1)[1]
    html = ran.of("display_data")[-1]["data"]["text/html"]
    program = json.loads(re.search(r"const program = (.*);", html)[1])
    assert f'<div id="{program["div"]}"></div>' in html
    assert program["args"] == ["js", "--word=hello"]
    assert "undefined: say" in served.fail("say()").trace  # nothing of it is declared in the host

    node = shutil.which("node")
    if not node:
        pytest.skip("node, which runs the program here, is not installed")
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [node, f"{goroot}/lib/wasm/wasm_exec_node.js", f"{folder}/{program['file']}", *program["args"][1:]],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == f"hello 42 0 {url.upper()}\n", done.stderr


def test_errors(served):
    trace = served.fail("%wasm\nvar n int = \"text\"\n%%\nfmt.Println(n)", timeout=holt.FIRST_CELL).trace
    assert re.search(r'cell\[\d+\]:2(:\d+)?: cannot use "text"', trace), trace
    trace = served.fail("%wasm\n%%\nfmt.Println(").trace
    assert re.search(r"cell\[\d+\]:\d+(:\d+)?: ", trace), trace
    assert '%wasm: got "now", want nothing after it' in served.fail("%wasm now").evalue
