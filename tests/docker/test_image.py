"""The image of docker/, built step by step in a fresh Debian root, and used as a person would use a container of it.

HOLT_DEBIAN_ROOT names a folder for the root that is kept, and whose Debian and Jupyter a second run finds; HOLT_DEBIAN is a
suite, HOLT_TEST_BACKENDS what BACKENDS is for docker build.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

pytestmark = [
    pytest.mark.skipif(not os.environ.get("HOLT_TEST_DOCKER"), reason="the image in a fresh Debian root takes minutes: make debian"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a fresh Debian root needs root"),
    pytest.mark.skipif(not shutil.which("debootstrap"), reason="debootstrap is not installed: apt-get install debootstrap"),
]

BACKENDS = os.environ.get("HOLT_TEST_BACKENDS", "cpu")

TRAINS = """\
model := dl.Build(dl.Linear{Out: 1}, dl.Shape{4, 2})
step := dl.TrainStep(model, dl.MSELoss{}, dl.SGD{LR: 0.1})
batch := dl.Batch{Inputs: dl.FromSlice([]float32{0, 1, 1, 0, 1, 1, 0, 0}, 4, 2), Labels: dl.FromSlice([]float32{1, 1, 2, 0}, 4, 1)}
first := step.Run(batch)
step.Run(batch)
fmt.Println("lower:", step.Last().Loss < first.Loss, dl.Backend())
"""


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    from image import Image

    kept = os.environ.get("HOLT_DEBIAN_ROOT")
    image = Image(kept or tmp_path_factory.mktemp("debian") / "root")  # a folder that its users may enter
    try:
        image.base()
        image.build(f"{CHECKOUT}/docker/Dockerfile", BACKENDS=BACKENDS)
        yield image
    finally:
        if not kept:
            shutil.rmtree(image.root)


def cell(image, code, **how):
    """Runs code in a kernel of its own, with Jupyter, and returns what it printed and its seconds."""
    path = image.root / "tmp/cell.go"
    path.write_text(code)
    path.chmod(0o644)
    start = time.monotonic()
    out = image.run("cd && jupyter run --kernel=holt /tmp/cell.go", **how)
    return out, time.monotonic() - start


def test_user(image):
    assert image.user == "1000" and image.workdir == "/home/jovyan"
    assert image.run("cd && id -u && id -g && touch work.txt") == "1000\n100\n"


def test_jupyter_sees_the_kernel(image):
    specs = json.loads(image.run("jupyter kernelspec list --json 2>/dev/null"))["kernelspecs"]
    assert specs["holt"]["resource_dir"] == "/opt/conda/share/jupyter/kernels/holt"


@pytest.mark.parametrize("user", ["1000:100", "4321:4321"])
def test_caches_are_warm(image, user):
    """Without a network, in a new home: the modules, the host program and the plugin are in the image, for any user."""
    home = image.root / f"tmp/home-{user}"
    home.mkdir()
    shutil.chown(home, *map(int, user.split(":")))
    worlds = image.root / "opt/holt/cache/holt/worlds"
    before = sorted(os.listdir(worlds))
    out, seconds = cell(image, TRAINS, user=user, network=False, HOME=f"/tmp/{home.name}", GOPROXY="off")
    print(f"user {user}: {seconds:.1f} s from jupyter run to its end")
    assert "lower: true cpu:" in out
    assert sorted(os.listdir(worlds)) == before and any((worlds / w / "host").exists() for w in before), "a host program was built again"


def test_health_and_token(image):
    """The server answers as the base image's health check asks, and lets nobody in without the token."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    server = subprocess.Popen(image.command(f"exec jupyter lab --no-browser --ip=127.0.0.1 --port={port} --port-retries=0"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    try:
        said = ""
        for line in server.stdout:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=(\w{32,})", line):
                break
        else:
            pytest.fail(f"no address with a token:\n{said}")
        check = "import glob, json, urllib.request as u; f = glob.glob('%s/.local/share/jupyter/runtime/*server-*.json')[0]; print(u.urlopen(json.load(open(f))['url'] + 'api').status)"
        assert image.run(f'python3 -c "{check % image.env["HOME"]}"') == "200\n"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/kernelspecs")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/kernelspecs?token={found[1]}") as answer:
            assert "holt" in json.load(answer)["kernelspecs"]
    finally:
        server.kill()  # and, by unshare, all that it started
        server.wait(timeout=60)


@pytest.mark.skipif("cuda" not in BACKENDS, reason='CUDA\'s wheels are 3 GB: HOLT_TEST_BACKENDS="cpu cuda"')
def test_cuda_plugin(image):
    """The plugin and its libraries are in the image, and a machine without a GPU is said in words."""
    out = image.run("holt doctor || true")
    print(out)
    assert re.search("cuda", out)


def test_notebooks(image):
    names = image.run("cd && ls holt-notebooks").split()
    assert "quickstart.ipynb" in names
