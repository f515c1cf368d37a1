"""Completion and inspection by gopls, as clients ask for them."""

import pytest

import holt


@pytest.fixture(scope="module")
def asked(shared):
    shared.do(
        "// Otter swims.\ntype Otter struct {\n\tName   string\n\tweight float64\n}\n"
        "// Dive goes below.\nfunc (o *Otter) Dive(depth int) error { return nil }\n"
        "pet := &Otter{Name: \"Lutra\"}\nvar größe int"
    )
    holt.wait_for_gopls(shared.client)
    return shared


def complete(kernel, text):
    """Completes text at its cursor, a |, and returns the text that can come of it."""
    cursor = text.index("|")
    code = text.replace("|", "")
    c = kernel.client.complete(code, cursor, reply=True, timeout=60)["content"]
    assert c["status"] == "ok"
    return {code[: c["cursor_start"]] + m + code[c["cursor_end"] :] for m in c["matches"]}


@pytest.mark.parametrize(
    "text, becomes",
    [
        ("pe|", "pet"),
        ("pet.Di|", "pet.Dive"),
        ("pet.we|", "pet.weight"),
        ("pet.Na| + x", "pet.Name + x"),
        ("bytes.NewBuff|", "bytes.NewBuffer"),
        ("gr|", "größe"),
        ("grö|", "größe"),
        # The cursor is counted in code points: an otter is one, and two units of UTF-16.
        ('s := "🦦世界é"; pet.Na|', 's := "🦦世界é"; pet.Name'),
        ("/* 🦦🦦 */ größe = 1; strings.ToUpperSpe|", "/* 🦦🦦 */ größe = 1; strings.ToUpperSpecial"),
        ('fmt.Println("🦦",\n\tpet.Na|)', 'fmt.Println("🦦",\n\tpet.Name)'),
        ("func f(o *Otter) {\n\to.Di|\n}", "func f(o *Otter) {\n\to.Dive\n}"),
        ("%env X\npet.Di|", "%env X\npet.Dive"),
    ],
)
def test_complete(asked, text, becomes):
    assert becomes in complete(asked, text)


def test_kinds_of_matches(asked):
    c = asked.client.complete("pet.", reply=True, timeout=60)["content"]
    kinds = {t["text"]: t["type"] for t in c["metadata"]["_jupyter_types_experimental"]}
    assert kinds["Dive"] == "function" and kinds["Name"] == "field"


def inspect(kernel, text, detail=0):
    c = kernel.client.inspect(text.replace("|", ""), text.index("|"), detail_level=detail, reply=True, timeout=60)["content"]
    assert c["status"] == "ok" and c["found"] == bool(c["data"])
    return c["data"]


def test_inspect(asked):
    data = inspect(asked, '"🦦世界"; pet.Di|ve')
    assert "func (o *Otter) Dive(depth int) error" in data["text/plain"] and "Dive goes below." in data["text/plain"]
    assert "```go" in data["text/markdown"] and "```" not in data["text/plain"]
    assert "Println formats using the default formats" in inspect(asked, "fmt.Println(|")["text/plain"]
    assert "{ return nil }" in inspect(asked, "pet.Dive|", detail=1)["text/plain"]
    assert inspect(asked, "noSuchName|") == {}


def test_while_a_cell_runs(asked):
    msg_id = asked.start('fmt.Println("going")\nfor {\n}')
    asked.wait_output("going")
    try:
        assert "pet.Dive" in complete(asked, "pet.Di|")
        assert "Otter swims." in inspect(asked, "Otter|")["text/plain"]
    finally:
        asked.manager.interrupt_kernel()
    asked.finish(msg_id)


def test_help_page(asked):
    ran = asked.do("?pet.Dive")
    page = ran.reply["payload"][0]
    assert page["source"] == "page" and page["start"] == 0
    assert "Dive goes below." in page["data"]["text/plain"]
    assert ran.messages[1]["msg_type"] == "execute_input" and len(ran.messages) == 3  # and nothing else
    assert "{ return nil }" in asked.do("pet.Dive??").reply["payload"][0]["data"]["text/plain"]
    assert "nothing is known of noSuchName" in asked.do("noSuchName?").stderr
