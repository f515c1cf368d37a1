"""What a person can rely on in cells: the table of DESIGN.md, row by row."""

import base64

import holt
import pytest


# Live from then on: variables, constants, types, functions, imports.


def test_variables_live(kernel):
    kernel.do("va := 41")
    kernel.do("var vb, vc = 1, \"x\"\nconst vd = 2")
    assert kernel.do("va + vb").result == "42"
    kernel.do("va++")
    assert kernel.do("va").result == "42"
    assert kernel.do("vd * 2").result == "4"
    assert kernel.do("vc").result in ('"x"', "x")


def test_types_functions_methods_live(kernel):
    kernel.do("type Point struct{ X, Y int }\nfunc (p Point) Sum() int { return p.X + p.Y }")
    kernel.do("func double(p Point) Point { return Point{2 * p.X, 2 * p.Y} }")
    kernel.do("pt := double(Point{1, 2})")
    assert kernel.do("pt.Sum()").result == "6"


def test_imports_live(kernel):
    kernel.do('import "strings"')
    assert kernel.do('strings.ToUpper("otter") == "OTTER"').result == "true"


def test_imports_are_found(kernel):
    assert kernel.do('fmt.Println("found")').stdout == "found\n"


def test_pointers_maps_slices_live(kernel):
    kernel.do('m := map[string][]int{"a": {1}}\npm := &m')
    kernel.do('(*pm)["a"] = append((*pm)["a"], 2)')
    assert kernel.do('len(m["a"])').result == "2"


def test_goroutines_and_channels_live(kernel):
    kernel.do("ch := make(chan int)\ngo func() { for i := 0; ; i++ { ch <- i } }()")
    assert kernel.do("<-ch + <-ch + <-ch").result == "3"
    assert kernel.do("<-ch").result == "3"


def test_closures_live(kernel):
    kernel.do("func counter() func() int { n := 0; return func() int { n++; return n } }\nnext := counter()")
    kernel.do("next()")
    assert kernel.do("next()").result == "2"


# Statements.


def test_bare_statements_in_order(kernel):
    ran = kernel.do('fmt.Print("a")\nfor i := 0; i < 3; i++ {\n\tfmt.Print(i)\n}\nif true { fmt.Println("b") }')
    assert ran.stdout == "a012b\n"
    assert ran.result is None


@pytest.mark.parametrize("mark", ["%%", "%main"])
def test_gonb_cells(kernel, mark):
    assert kernel.do(f'{mark}\nfmt.Println("from main")').stdout == "from main\n"


def test_gonb_func_main(kernel):
    assert kernel.do('func main() {\n\tfmt.Println("main it is")\n}').stdout == "main it is\n"


def test_last_expression_is_the_result(kernel):
    assert kernel.do("1 + 1").result == "2"
    assert kernel.do("x2 := 5\nx2 * x2").result == "25"
    assert "1" in kernel.do("[]int{1, 2}").result
    assert kernel.do("x2 = 7").result is None
    assert kernel.do('fmt.Sprint("q")').result in ('q', '"q"')


def test_execution_count(kernel):
    first = kernel.do("1")
    second = kernel.do("2")
    assert second.reply["execution_count"] == first.reply["execution_count"] + 1
    assert second.of("execute_result")[0]["execution_count"] == second.reply["execution_count"]
    assert second.of("execute_input")[0]["execution_count"] == second.reply["execution_count"]


@pytest.mark.parametrize("code", ["", "// only a comment", "\n\n", "/* two\nlines */"])
def test_cells_of_nothing(kernel, code):
    ran = kernel.do(code)
    assert ran.result is None and ran.stdout == ""


# Errors at top level.


def test_dropped_error_ends_the_cell(kernel):
    ran = kernel.fail('import "os"\nfmt.Println("before")\nos.Remove("/no/such/file")\nfmt.Println("never")')
    assert ran.stdout == "before\n"
    assert "/no/such/file" in ran.evalue and "no such file or directory" in ran.evalue
    assert "\n" not in ran.evalue


def test_unnamed_error_ends_the_cell(kernel):
    kernel.do('import "strconv"')
    assert kernel.do('num := strconv.Atoi("42")\nnum').result == "42"
    ran = kernel.fail('bad := strconv.Atoi("x")')
    assert 'parsing "x"' in ran.evalue


def test_named_error_is_the_cells_own(kernel):
    ran = kernel.do('nn, err := strconv.Atoi("x")\nfmt.Println(nn, err != nil)')
    assert ran.stdout == "0 true\n"


def test_inside_functions_go_stays_go(kernel):
    ran = kernel.fail('func atoi(s string) int { n := strconv.Atoi(s); return n }')
    assert ran.ename == "CompileError"


# Redefinition.


def test_variable_with_another_type(kernel):
    kernel.do("rv := 1")
    kernel.do('rv := "now text"')
    assert kernel.do("len(rv)").result == "8"


def test_function_redefined_callers_follow(kernel):
    kernel.do("func inner() int { return 1 }\nfunc outer() int { return 10 * inner() }")
    assert kernel.do("outer()").result == "10"
    kernel.do("func inner() int { return 2 }")
    assert kernel.do("outer()").result == "20"


def test_method_added_later_keeps_values(kernel):
    kernel.do("type Acc struct{ total int }\nacc := &Acc{total: 3}")
    kernel.do("func (a *Acc) Add(n int) { a.total += n }")
    kernel.do("acc.Add(4)")
    assert kernel.do("acc.total").result == "7"


def test_method_redefined(kernel):
    kernel.do("type Dog struct{}\nfunc (Dog) Say() string { return \"wuff\" }\ndog := Dog{}")
    kernel.do('func (Dog) Say() string { return "bark" }')
    assert "bark" in kernel.do("dog.Say()").result


def test_unexported_names_across_cells(kernel):
    kernel.do("type inner2 struct{ secret int }\ntype Outer2 struct {\n\tinner2\n\thidden []int\n}")
    kernel.do("o2 := Outer2{inner2{7}, []int{1}}")
    kernel.do("func (o Outer2) peek() int { return o.secret + o.hidden[0] }")
    assert kernel.do("o2.peek()").result == "8"
    kernel.do("o2.hidden[0] = 5\no2.secret = 1")
    assert kernel.do("o2.peek()").result == "6"


def test_generics_across_cells(kernel):
    kernel.do("type Stack[T any] struct{ items []T }\nfunc (s *Stack[T]) Push(v T) { s.items = append(s.items, v) }")
    kernel.do("func sum[T int | float64](xs []T) (t T) { for _, x := range xs { t += x }; return }")
    kernel.do("st := &Stack[float64]{}\nst.Push(1.5)\nst.Push(2)")
    assert kernel.do("sum(st.items)").result == "3.5"


def test_interfaces_across_cells(kernel):
    kernel.do("type Shape interface{ Area() float64 }")
    kernel.do("type Sq struct{ s float64 }\nfunc (q Sq) Area() float64 { return q.s * q.s }")
    kernel.do("func total(shapes ...Shape) (t float64) { for _, s := range shapes { t += s.Area() }; return }")
    assert kernel.do("total(Sq{2}, Sq{3})").result == "13"


# Errors.


def test_compile_error(kernel):
    kernel.do("ce := 1")
    ran = kernel.fail('ce = 2\nfmt.Println("ran")\nnoSuchName + 1')
    assert ran.ename == "CompileError"
    assert "noSuchName" in ran.evalue
    assert ":3:1" in ran.trace, ran.trace
    assert "noSuchName + 1" in ran.trace, ran.trace
    assert ran.stdout == ""
    assert kernel.do("ce").result == "1"  # nothing of the cell took effect
    assert len(ran.of("error")) == 1


def test_syntax_error(kernel):
    ran = kernel.fail("a := 1\nb := (2 + \nc")
    assert ran.ename == "CompileError"
    assert "\n" not in ran.evalue


def test_compile_error_declares_nothing(kernel):
    kernel.fail("func fresh1() int { return 1 }\nvar bad1 int = \"x\"")
    ran = kernel.fail("fresh1()")
    assert ran.ename == "CompileError"


def test_panic(kernel):
    kernel.do("func third(s []int) int {\n\treturn s[2]\n}")
    ran = kernel.fail("kept := 5\nfmt.Println(third([]int{1}))")
    assert "index out of range [2] with length 1" in ran.evalue
    count = ran.reply["execution_count"]
    assert f"[{count}]:2" in ran.trace, ran.trace
    assert f"[{count - 1}]:2" in ran.trace, ran.trace
    for inside in ["runtime/", "plugin.", "kernel/host", "goroutine"]:
        assert inside not in ran.trace, ran.trace
    assert kernel.do("kept").result == "5"  # set before the panic


def test_panic_with_a_value(kernel):
    ran = kernel.fail('panic(fmt.Errorf("too deep: %d", 3))')
    assert "too deep: 3" in ran.evalue


def test_error_has_colours_in_the_trace_only(kernel):
    ran = kernel.fail("undefinedThing")
    assert "\x1b" not in ran.reply["evalue"]
    assert "\x1b[" in "".join(ran.reply["traceback"])


# Output.


def test_stdout_and_stderr(kernel):
    kernel.do('import "os"')
    ran = kernel.do('fmt.Println("out")\nfmt.Fprintln(os.Stderr, "err")\nprintln("builtin")')
    assert ran.stdout == "out\n"
    assert ran.stderr == "err\nbuiltin\n"


def test_output_comes_before_idle(kernel):
    for i in range(20):
        ran = kernel.do(f'for i := range 100 {{ fmt.Println({i}, i) }}')
        assert ran.stdout.splitlines()[-1] == f"{i} 99"
        assert len(ran.stdout.splitlines()) == 100


def test_unicode_output(kernel):
    assert kernel.do('fmt.Print("世界 🦦 é")').stdout == "世界 🦦 é"


def test_a_flood_is_limited(kernel):
    ran = kernel.do(
        'line := strings.Repeat("x", 99)\nfor i := 0; i < 1_000_000; i++ { fmt.Println(line) }\nfmt.Println("the end")',
        timeout=600,
    )
    assert ran.stdout.endswith("the end\n")
    assert len(ran.stdout) < 20e6
    assert "not shown here" in ran.stderr
    with open(f"/proc/{kernel.manager.provisioner.process.pid}/status") as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
    assert peak < 400_000, f"the kernel took {peak} kB to print 100 MB"
    assert kernel.do("1").result == "1"


BACKGROUND = 'import "time"\ntick := make(chan int)\ngo func() { <-tick; fmt.Println("from before"); log.Print("logged"); display.Show("shown") }()'


def test_background_output(kernel):
    """What a goroutine prints and shows stands below the cell that started it, as with ipykernel 7."""
    first = kernel.start(BACKGROUND, allow_stdin=True)
    assert kernel.finish(first).ok
    second = kernel.start('fmt.Println("mine")\ntick <- 1\ntime.Sleep(300 * time.Millisecond)', allow_stdin=True)
    parents = {}  # of each text
    while True:
        m = kernel.client.get_iopub_msg(timeout=holt.CELL)
        parent = m["parent_header"]["msg_id"]
        if m["msg_type"] == "stream":
            parents[m["content"]["text"].split()[-1]] = parent
        if m["msg_type"] == "display_data":
            parents[m["content"]["data"]["text/plain"]] = parent
        if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle" and parent == second:
            break
    assert parents == {"mine": second, "before": first, "logged": first, "shown": first}


def test_background_output_without_a_person(kernel):
    """nbclient drops what belongs to a cell that is over, so that the running cell has it."""
    kernel.do(BACKGROUND)
    ran = kernel.do("tick <- 1\ntime.Sleep(200 * time.Millisecond)")
    assert ran.stdout == "from before\n" and "logged" in ran.stderr


# Displays.


def test_display_text_and_picture(kernel):
    kernel.do('import ("image"; "image/color")\nimg := image.NewRGBA(image.Rect(0, 0, 8, 4))\nimg.Set(1, 1, color.White)')
    ran = kernel.do('fmt.Println("above")\ndisplay.Show(img)\nfmt.Println("below")')
    kinds = [m["msg_type"] for m in ran.messages if m["msg_type"] in ("stream", "display_data")]
    assert kinds == ["stream", "display_data", "stream"]
    data = ran.of("display_data")[0]["data"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "text/plain" in data


def test_picture_as_result(kernel):
    kernel.do('import "image"\nimg2 := image.NewGray(image.Rect(0, 0, 8, 4))')
    data = kernel.do("img2").of("execute_result")[0]["data"]
    assert "image/png" in data and "text/plain" in data


# Commands.


def test_shell(kernel):
    assert kernel.do("!echo from the shell").stdout == "from the shell\n"
    assert kernel.fail("!exit 3").reply["status"] == "error"


def test_env(kernel):
    kernel.do("%env HOLT_TEST_VALUE=seven")
    assert kernel.do('import "os"\nos.Getenv("HOLT_TEST_VALUE") == "seven"').result == "true"
    assert kernel.do("!echo $HOLT_TEST_VALUE").stdout == "seven\n"


def test_cd(kernel, tmp_path):
    before = kernel.do("!pwd").stdout.strip()
    kernel.do(f"%cd {tmp_path}")
    assert kernel.do("!pwd").stdout.strip() == str(tmp_path)
    kernel.do('os.WriteFile("here.txt", []byte("x"), 0o644)')
    assert (tmp_path / "here.txt").read_text() == "x"
    kernel.do(f"%cd {before}")


def test_list_and_rm(kernel):
    kernel.do("toRemove := 1")
    assert "toRemove" in kernel.do("%list").stdout
    kernel.do("%rm toRemove")
    assert "toRemove" not in kernel.do("%list").stdout
    assert kernel.fail("toRemove").ename == "CompileError"


def test_help(kernel):
    text = kernel.do("%help").stdout
    for word in ["%list", "%rm", "%reset", "%env", "%cd", "!"]:
        assert word in text


def test_reset(fresh):
    fresh.do("gone := 1\nfunc goneToo() {}")
    fresh.do("%reset")
    assert fresh.fail("gone").ename == "CompileError"
    assert fresh.fail("goneToo()").ename == "CompileError"
    assert fresh.do("still := 2\nstill").result == "2"


# GoNB's displays.


def test_gonbui(kernel):
    kernel.do('import "github.com/janpfeifer/gonb/gonbui"')
    ran = kernel.do('gonbui.DisplayHtml("<b>bold</b>")\ngonbui.DisplayMarkdown("*it*")')
    data = [d["data"] for d in ran.of("display_data")]
    assert any("<b>bold</b>" in str(d.get("text/html")) for d in data), data
    assert any("*it*" in str(d.get("text/markdown")) for d in data), data


def test_gonbui_update(kernel):
    ran = kernel.do(
        'import "github.com/janpfeifer/gonb/gonbui"\n'
        'gid := "htmlid"\ngonbui.UpdateHtml(gid, "one")\ngonbui.UpdateHtml(gid, "two")'
    )
    shown = [m for m in ran.messages if m["msg_type"] in ("display_data", "update_display_data")]
    assert shown and "two" in str(shown[-1]["content"]["data"])
    assert shown[-1]["content"]["transient"]["display_id"]
