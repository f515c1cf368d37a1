package notice

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/frame"
)

// record connects a kernel for one test and returns what it gets.
func record(t *testing.T) *[]frame.Message {
	var got []frame.Message
	frame.SetSink(func(m frame.Message) error { got = append(got, m); return nil })
	t.Cleanup(func() { frame.SetSink(nil) })
	return &got
}

// A download is one display with a bar, and in the end one line without.
func TestDownload(t *testing.T) {
	got := record(t)
	progress, end := Download("otters<1>.zip", func(s string) { t.Errorf("said %q", s) })
	progress(0, 0) // the size is not known yet
	for done := range int64(171) {
		progress(done*1e6, 170e6)
	}
	end(nil)
	if len(*got) < 2 || len(*got) > 20 {
		t.Fatalf("%d messages for 171 reports, want few", len(*got))
	}
	first, last := (*got)[0], (*got)[len(*got)-1]
	if first.Kind != frame.KindDisplay || last.Kind != frame.KindUpdate || first.Bundle.DisplayID == "" || first.Bundle.DisplayID != last.Bundle.DisplayID || !last.Notice {
		t.Errorf("it begins with %v %q and ends with %v %q, want one display that changes", first.Kind, first.Bundle.DisplayID, last.Kind, last.Bundle.DisplayID)
	}
	if text := first.Bundle.Data["text/plain"]; text != "download otters<1>.zip: 0 of 170 MB" {
		t.Errorf("first text %q", text)
	}
	if html := fmt.Sprint(first.Bundle.Data["text/html"]); !strings.Contains(html, `<progress value="0" max="170000000">`) || !strings.Contains(html, "otters&lt;1&gt;.zip") {
		t.Errorf("first HTML %s", html)
	}
	if text := fmt.Sprint(last.Bundle.Data["text/plain"]); !strings.HasPrefix(text, "downloaded otters<1>.zip, 170 MB in ") {
		t.Errorf("last text %q", text)
	}
	if html := fmt.Sprint(last.Bundle.Data["text/html"]); strings.Contains(html, "<progress") {
		t.Errorf("last HTML still has a bar: %s", html)
	}
}

// What failed leaves where it stopped; the error is its caller's. A download
// that never began leaves nothing.
func TestDownloadFails(t *testing.T) {
	got := record(t)
	progress, end := Download("a.zip", nil)
	progress(5e6, 10e6)
	end(errors.New("the line is down"))
	if text := (*got)[len(*got)-1].Bundle.Data["text/plain"]; text != "download a.zip: stopped at 5 of 10 MB" {
		t.Errorf("last text %q", text)
	}
	n := len(*got)
	_, end = Download("b.zip", nil)
	end(errors.New("the name is not found"))
	if len(*got) != n {
		t.Errorf("a download that did not begin shows %v", (*got)[n:])
	}
}

// Outside a notebook what matters is said in sentences, or nothing.
func TestPlain(t *testing.T) {
	var said []string
	l := New(func(s string) { said = append(said, s) })
	l.Set("compiling", 0, 0)
	l.Set("compiling", 0, 0)
	for done := range int64(21) {
		l.Set("download", done, 20)
	}
	l.End("ready")
	if len(said) != 13 || said[0] != "compiling" || said[6] != "download: 50 % of 0 MB" || said[12] != "ready" {
		t.Errorf("said %q", said)
	}
	silent := New(nil) // nothing to say it to, and no panic
	silent.Set("compiling", 0, 0)
	silent.End("ready")
}
