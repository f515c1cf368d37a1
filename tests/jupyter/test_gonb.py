"""GoNB's widgets and inputs, with the tests in the part of the page."""

import re

import pytest

import holt
from page import Page


@pytest.fixture
def page(fresh):
    fresh.do("1")
    page = Page(fresh)
    return page.wait(lambda: page.values("#comm_open_ack"))


def test_values_both_ways(page):
    """gonbui/comms in a cell, and in the cells after it."""
    k = page.kernel
    cell = k.start(
        """
import "github.com/janpfeifer/gonb/gonbui/comms"
numbers := comms.Listen[int]("/number")
words := comms.Listen[[]string]("/words")
comms.Send("/ready", "now")
fmt.Println("number", <-numbers.C, "words", <-words.C)
"""
    )
    page.wait(lambda: page.values("/ready") == ["now"])
    page.send("/nobody", 1)
    page.send("/number", 41)
    page.send("/words", ["a", "b"])
    assert k.finish(cell).stdout == "number 41 words [a b]\n"

    # The listener lives; so does what a goroutine does with it.
    k.do("go func() { for n := range numbers.C { comms.Send(\"/double\", 2*n) } }()")
    page.send("/number", 4)
    page.wait(lambda: page.values("/double") == [8])
    page.send("/number", 5.4)  # comms rounds
    page.wait(lambda: page.values("/double") == [8, 10])
    k.do("numbers.Close()")
    for n in range(20):
        page.send("/number", n)  # to a closed listener, at which gonbui would stop for good
    page.send("/words", ["still"])
    assert k.do("fmt.Println(<-words.C)").stdout == "[still]\n"


def test_read_value(page):
    k = page.kernel
    page.send("/asked", 3)
    assert k.do('import "github.com/janpfeifer/gonb/gonbui/comms"\ncomms.ReadValue[int]("/asked")').result == "3"
    cell = k.start('comms.ReadValue[string]("/new")')
    page.wait(lambda: page.values("#read") == ["/new"])
    page.send("/new", "there")
    assert k.finish(cell).result == "there"


def test_widgets(page):
    """A button, a slider and a select: their scripts reach the page, their values the cell."""
    k = page.kernel
    cell = k.start(
        """
import "github.com/janpfeifer/gonb/gonbui/widgets"
button := widgets.Button("Go").WithHtmlId("b").WithAddress("/b").Done()
slider := widgets.Slider(0, 10, 5).WithHtmlId("s").WithAddress("/s").Done()
choice := widgets.Select([]string{"x", "y"}).WithHtmlId("c").WithAddress("/c").Done()
fmt.Println("made")
"""
    )
    for id, address, first in (("b", "/b", 0), ("s", "/s", "5"), ("c", "/c", "0")):
        page.scripted(rf'newSyncedVariable\("{address}".*')
        page.wait(lambda: any(f'id="{id}"' in (html or "") for _, html in page.shown))
        page.send(address, first)
    k.finish(cell)
    assert any("<script>" in html and "gonb_comm" in html for id, html in page.shown if id and id.startswith("holt-page-"))

    # The cell has ended, and the widgets work.
    k.do("clicks := button.Listen().WithBuffer(4)")
    page.send("/b", 1)
    page.send("/b", 2)
    assert k.do("fmt.Println(<-clicks.C, <-clicks.C)").stdout in ("1 2\n", "2 1\n")  # gonbui delivers in goroutines
    page.send("/s", "7")
    page.send("/c", "1")
    k.do("for slider.Value() != 7 || choice.Value() != 1 { time.Sleep(time.Millisecond) }")
    cell = k.start("slider.SetValue(2)")
    page.wait(lambda: page.values("/s") == [2])
    k.finish(cell)


def test_dom(page):
    """Scripts of gonbui/dom reach the page one by one, each in the output of its cell."""
    k = page.kernel
    k.do(
        """
import "github.com/janpfeifer/gonb/gonbui/dom"
root := dom.CreateTransientDiv()
for i := range 5 { dom.Append(root, fmt.Sprint("part ", i)) }
"""
    )
    cell = k.start("dom.SetInnerText(root, `it's`); dom.GetInnerHtml(root)")
    address = page.scripted(r"gonb_comm\.send\('(/inner_html/[^']+)', html\)")[0]
    page.send(address, "<b>as it is</b>")
    assert page.scripted_by[0] == "display_data"  # though the cell before had shown some
    assert k.finish(cell).result == "<b>as it is</b>"


def test_every_script_arrives(page):
    """Updates of one display are merged, but not those of scripts."""
    k = page.kernel
    cell = k.start(
        'import "github.com/janpfeifer/gonb/gonbui/dom"\nfor i := range 50 { dom.TransientJavascript(fmt.Sprintf("run(%d)", i)) }\nfmt.Println("sent")'
    )
    ran = k.finish(cell)
    scripts = re.findall(r"run\((\d+)\)", str([m["content"].get("data") for m in ran.messages]))
    assert [int(n) for n in scripts] == list(range(50))
    last = [m["content"]["data"] for m in ran.messages if m["msg_type"] in ("display_data", "update_display_data")][-1]
    assert last == {"text/html": ""}


def test_heartbeat(page):
    k = page.kernel
    cell = k.start("%widgets_hb")
    page.wait(lambda: page.values("#heartbeat/ping"))
    page.send("#heartbeat/pong", True)
    assert k.finish(cell).stdout == "the page answers\n"
    assert "the page does not answer; reload it, or run %widgets" in k.fail("%widgets_hb").evalue


def test_a_page_from_before_the_restart(page):
    """A page does not learn that the kernel was started anew, and need not."""
    k = page.kernel
    k.manager.restart_kernel()
    k.client.wait_for_ready(timeout=60)
    k.warm = False
    k.do('import "github.com/janpfeifer/gonb/gonbui/comms"\nl := comms.Listen[int]("/again")')
    page.send("/again", 5)
    assert k.do("fmt.Println(<-l.C)").stdout == "5\n"


def test_without_a_page(fresh):
    """In a batch run there is no page: its script is not left in the output."""
    ran = fresh.do('import "github.com/janpfeifer/gonb/gonbui/comms"\ncomms.Send("/a", 1)\ncomms.Start()')
    shown = [m["content"] for m in ran.messages if m["msg_type"] in ("display_data", "update_display_data")]
    shown = [c for c in shown if str(c["transient"].get("display_id")).startswith("holt-page-")]
    assert len(shown) == 2 and shown[-1]["data"] == {"text/html": ""}


def answer(kernel, cell, *lines):
    """Answers the input requests of a cell, and returns them with what it ran to."""
    asked = []
    for line in lines:
        m = kernel.client.get_stdin_msg(timeout=holt.CELL)
        assert m["msg_type"] == "input_request"
        asked.append(m["content"])
        kernel.client.input(line)
    return asked, kernel.finish(cell)


def test_inputs_of_commands(kernel):
    cell = kernel.start(
        '%with_inputs\n!read a; sleep 0.3; read b; echo "$a-$b"\n%with_password\n!read pass; echo "pass=$pass"\n!read none || echo end', allow_stdin=True
    )
    asked, ran = answer(kernel, cell, "foo", "bar", "secret")
    assert [a["password"] for a in asked] == [False, False, True]
    assert ran.stdout == "foo-bar\npass=secret\nend\n"


def test_inputs_of_programs(kernel):
    cell = kernel.start(
        """
import "github.com/janpfeifer/gonb/gonbui"
gonbui.RequestInput("Enter:", false)
var typed int
fmt.Scan(&typed)
gonbui.RequestInput("Pin:", true)
var pin string
fmt.Scan(&pin)
fmt.Println(typed, pin)
""",
        allow_stdin=True,
    )
    asked, ran = answer(kernel, cell, "42", "1234")
    assert asked == [{"prompt": "Enter:", "password": False}, {"prompt": "Pin:", "password": True}]
    assert ran.stdout.endswith("42 1234\n")


def test_inputs_refused(kernel):
    ran = kernel.fail("%with_inputs\n!read a && echo $a", allow_stdin=False)
    assert "this notebook's client does not take input (allow_stdin is false)" in ran.trace
