"""What can be said of the image's files without building it."""

import json
import re
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]


def lines(path):
    return [line for line in (CHECKOUT / path).read_text().splitlines() if line and not line.startswith("#")]


def test_docker_ignores_what_git_ignores():
    # git's /a/ is docker's a; a name without a slash in front is git's at any depth.
    want = [p.strip("/") if p.strip("*").startswith("/") or "/" in p.strip("/") else "**/" + p.strip("/") for p in lines(".gitignore")]
    assert sorted(lines(".dockerignore")) == sorted([".git", *want])


def test_compose_publishes_on_this_machine_only():
    services = yaml.safe_load((CHECKOUT / "docker/compose.yaml").read_text())["services"]
    assert set(services) == {"holt", "holt-cuda"}
    for name, service in services.items():
        assert [p.startswith("127.0.0.1:") for p in service["ports"]] == [True], name
        assert "command" not in service, f"{name}: the image's own command keeps the token"
        context = CHECKOUT / "docker" / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).resolve() == CHECKOUT / "docker/Dockerfile", name
    assert services["holt-cuda"]["build"]["args"]["BACKENDS"].split() == ["cpu", "cuda"]


def test_devcontainer_and_binder_use_the_same_file():
    text = (CHECKOUT / ".devcontainer/devcontainer.json").read_text()
    build = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))["build"]
    assert (CHECKOUT / ".devcontainer" / build["dockerfile"]).resolve() == CHECKOUT / "docker/Dockerfile"
    assert (CHECKOUT / ".devcontainer" / build["context"]).resolve() == CHECKOUT
    assert (CHECKOUT / "binder/Dockerfile").resolve() == CHECKOUT / "docker/Dockerfile"


def test_the_image_ends_as_its_user():
    users = [line.split()[1] for line in lines("docker/Dockerfile") if line.startswith("USER ")]
    assert users[-1] == "${NB_UID}"


def test_go_is_new_enough_for_the_module():
    def numbers(text):
        return [int(n) for n in text.split(".")]

    want = numbers(re.search(r"^go (\S+)$", (CHECKOUT / "go.mod").read_text(), re.MULTILINE)[1])
    have = numbers(re.search(r"^ARG GO=(\S+)$", (CHECKOUT / "docker/Dockerfile").read_text(), re.MULTILINE)[1])
    assert have[:2] == want[:2] and have >= want
