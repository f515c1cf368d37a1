package kernel

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/cell/gonb"
)

func TestSplitHelp(t *testing.T) {
	tests := []struct {
		name, code, rest string
		asked            []gonb.Question
	}{
		{"behind", "fmt.Println?", "", []gonb.Question{{Name: "fmt.Println", Detail: 0}}},
		{"before", "?fmt.Println", "", []gonb.Question{{Name: "fmt.Println", Detail: 0}}},
		{"source", "x := 1\nx??\n", "x := 1\n\n", []gonb.Question{{Name: "x", Detail: 1}}},
		{"source, before", " ?? größe ", "", []gonb.Question{{Name: "größe", Detail: 1}}},
		{"call", "model.Forward()?", "", []gonb.Question{{Name: "model.Forward", Detail: 0}}},
		{"several", "a?\nb?", "\n", []gonb.Question{{Name: "a", Detail: 0}, {Name: "b", Detail: 0}}},
		{"beside a command", "%env A=b?\nx?", "%env A=b?\n", []gonb.Question{{Name: "x", Detail: 0}}},
		{"string", "s := \"x?\"", "s := \"x?\"", nil},
		{"raw string", "s := `\nx?\n`", "s := `\nx?\n`", nil},
		{"comment", "// x?\n/*\nx?\n*/", "// x?\n/*\nx?\n*/", nil},
		{"another language", "%%bash\nx?", "%%bash\nx?", nil},
		{"no name", "1 + 2?", "1 + 2?", nil},
		{"question marks alone", "???", "???", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rest, asked := gonb.Questions(tt.code)
			if rest != tt.rest || !slices.Equal(asked, tt.asked) {
				t.Errorf("got %q, %v, want %q, %v", rest, asked, tt.rest, tt.asked)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	c := start(t)
	tests := []struct {
		name, code, payload string
		want                []string
	}{
		{"one", "fmt.Println?", "[map[data:map[text/plain:offset 11] source:page start:0]]", nil},
		{"after the rest", "print a\nfmt?\nfmt??", "[map[data:map[text/plain:offset 3\n\nsource of fmt] source:page start:0]]", []string{`stdout "a\n"`}},
		{"unknown", "unknown?", "[]", []string{`stderr "holt: nothing is known of unknown\n"`}},
		{"none", "print a", "[]", []string{`stdout "a\n"`}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			reply, got := c.run(tt.code)
			if reply["status"] != "ok" || fmt.Sprint(reply["payload"]) != tt.payload {
				t.Errorf("reply is %v, want payload %s", reply, tt.payload)
			}
			if want := append([]string{fmt.Sprintf("In [%d]", i+1)}, tt.want...); !slices.Equal(got, want) {
				t.Errorf("published %q, want %q", got, want)
			}
		})
	}
	if r := c.reply("shell", c.send("shell", "is_complete_request", map[string]any{"code": "fmt.Println?"})); r["status"] != "complete" {
		t.Errorf("is_complete is %v, want complete", r)
	}
}

// Completion is prepared once, when a person is seen to be there and no cell has run for a while.
func TestWarm(t *testing.T) {
	c := start(t)
	req := execute("print a")
	req["allow_stdin"] = false
	id := c.send("shell", "execute_request", req)
	c.reply("shell", id)
	c.reply("shell", c.send("shell", "kernel_info_request", map[string]any{}))
	select {
	case <-c.engine.warmed:
		t.Error("completion is prepared for a notebook that runs in batch")
	case <-time.After(100 * time.Millisecond):
	}
	c.reply("shell", c.send("shell", "history_request", map[string]any{"hist_access_type": "tail", "n": 1}))
	time.Sleep(steady / 4)
	last := time.Now()
	c.run("print a")
	select {
	case <-c.engine.warmed:
		if after := time.Since(last); after < steady {
			t.Errorf("completion is prepared %v after a cell began, want %v at least", after, steady)
		}
	case <-time.After(60 * time.Second):
		t.Error("completion is not prepared")
	}
	if len(c.engine.warmed) > 0 {
		t.Error("completion is prepared twice")
	}
}

func FuzzSplitHelp(f *testing.F) {
	f.Add("x?\n`\n?x")
	f.Add("%%bash\nx??")
	f.Fuzz(func(t *testing.T, code string) {
		rest, asked := gonb.Questions(code)
		if len(asked) == 0 && rest != code {
			t.Errorf("%q became %q without a question", code, rest)
		}
	})
}
