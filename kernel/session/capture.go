package session

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/cell/gonb"
)

// capture copies what the host prints and shows to a file, until stop. A relative name begins
// in the folder of the cells. What the file gets is shown too; the copy is made before the
// output is paced and cut, so it is whole.
func (s *Session) capture(c gonb.Capture) (stop func(), err error) {
	file := c.File
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.cwd, file)
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if c.Append {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(file, flags, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%%capture: %w", err)
	}
	s.mu.Lock()
	s.copyTo = f
	s.mu.Unlock()
	// Stop is called when the cell has ended, and all of its output with it. What goroutines
	// show after that is in no file.
	return func() {
		s.mu.Lock()
		s.copyTo = nil
		s.mu.Unlock()
		if err := f.Close(); err != nil {
			commands{s}.Warn("%capture: " + err.Error() + "\n")
		}
	}, nil
}

// shown takes what the host prints. It is called by proc, one call at a time, in the order of
// the output.
func (s *Session) shown(stream string, p []byte) {
	s.copyOut(p)
	s.out.Stream(stream, p)
}

// framed takes what the host shows: a display, an update, a result, a request to clear. It
// decides in turn whether that is the value of an expression, whether a file of %capture has a
// part in it, whether it is a display of a run, which pages follow by other ways, and to which
// cell it belongs. It is called by proc, one call at a time.
func (s *Session) framed(m frame.Message) {
	if s.takeValue(m) {
		return
	}
	if m.Bundle != nil && m.Kind != frame.KindWarn && !m.Notice { // no output of the cell
		s.copyOut([]byte(asText(m.Bundle)))
	}
	// A display of a run is sent to its pages directly, and shown here only as often as the
	// notebook needs it.
	m, ok := s.liveRuns.Take(m)
	if !ok {
		return
	}
	if late := s.lateOutput(m.Cell); late != nil && m.Kind != frame.KindUpdate {
		late.Frame(m) // an update goes to the display that has its id, wherever that is
		return
	}
	s.out.Frame(m)
}

// copyOut writes to the file of %capture. A full disk must not end the cell: it is said once,
// and the file gets no more.
func (s *Session) copyOut(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.copyTo == nil {
		return
	}
	if _, err := s.copyTo.Write(p); err != nil {
		s.out.Stream("stderr", []byte("%capture: "+err.Error()+"\n"))
		s.copyTo = nil
	}
}

// asText is the representation of a bundle that a file of text can hold best: plain text, then
// markdown, then HTML, then any other text, by the order of its type's name. It is "" for a
// picture of bytes.
func asText(b *frame.Bundle) string {
	var mimes []string
	for mime := range b.Data {
		mimes = append(mimes, mime)
	}
	// Types of the same rank are in the order of their names, as a map has none.
	rank := func(mime string) int {
		if i := slices.Index([]string{"text/plain", "text/markdown", "text/html"}, mime); i >= 0 {
			return i
		}
		return 3
	}
	slices.SortFunc(mimes, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, mime := range mimes {
		if text, ok := b.Data[mime].(string); ok && (strings.HasPrefix(mime, "text/") || mime == "image/svg+xml") {
			return text
		}
	}
	return ""
}
