"""Jupyter's own tests of kernels, with every attribute set: the suite skips what is not."""

import jupyter_kernel_test as jkt

import holt


class TestKernel(jkt.KernelTests):
    kernel_name = "holt"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'import "os"\nfmt.Fprintln(os.Stderr, "oh")'
    complete_code_samples = ["1", "x := 1", 'fmt.Println("hi")', "func f() int {\n\treturn 1\n}", "// a comment"]
    incomplete_code_samples = ["func f() {", "for i := range 10 {\n", 'fmt.Println("a",', "x := 1 +", "s := `raw"]
    invalid_code_samples = ["x := )", "}", "func 3() {}"]
    code_generate_error = "noSuchName"
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "[]int{1, 2}[1]", "result": "2"},
        {"code": "6 * 7 == 42", "result": "true"},
    ]
    code_display_data = [
        {"code": 'display.Show(display.HTML("<b>x</b>"))', "mime": "text/html"},
        {"code": 'import "image"\ndisplay.Show(image.NewGray(image.Rect(0, 0, 4, 4)))', "mime": "image/png"},
    ]
    code_clear_output = "display.Clear(true)"
    completion_samples = [
        {"text": "strings.ToUpperS", "matches": {"ToUpperSpecial"}},
        {"text": "fmt.Sprint", "matches": {"Sprint", "Sprintf", "Sprintln"}},
    ]
    code_inspect_sample = "fmt.Println"
    code_page_something = "fmt.Println?"
    code_history_pattern = "1 + 2*"
    supported_history_operations = ("tail", "range", "search")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The first cell of a cold machine waits for the host, and the first question for gopls to read the
        # packages, both longer than the suite's 15 s.
        cls.kc.execute_interactive("1", timeout=holt.FIRST_CELL)
        holt.wait_for_gopls(cls.kc)

    def test_every_attribute_is_set(self):
        # What the suite's own class leaves empty is what it skips.
        for name, unset in vars(jkt.KernelTests).items():
            if isinstance(unset, (str, list, tuple)) and not name.startswith("_") and not unset:
                self.assertTrue(getattr(self, name), f"{name} is not set, so that its test would be skipped")


class TestWelcome(jkt.IopubWelcomeTests):
    kernel_name = "holt"
    support_iopub_welcome = True
