package batch

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// redraw is how often the live line is written again.
const redraw = 200 * time.Millisecond

// Progress writes a line for each cell: its number, its first line, how long it
// took. On a terminal the line of the running cell changes: it counts the
// seconds and shows the last line of output. A nil Progress writes nothing.
type Progress struct {
	w     io.Writer
	width func() int // of the terminal in columns; nil where w is none

	mu      sync.Mutex
	head    string // what the current line begins with; empty between cells
	began   time.Time
	last    []byte // the last line of output
	current bool   // last has not ended
	stop    chan struct{}
}

// NewProgress returns a Progress that writes to w. Width gives the columns of
// a terminal, on which lines change; it is nil where w is a file or a pipe.
func NewProgress(w io.Writer, width func() int) *Progress {
	return &Progress{w: w, width: width}
}

// wait shows on a terminal that something goes on before the first cell.
func (p *Progress) wait(what string) {
	if p == nil || p.width == nil {
		return
	}
	p.line(what)
}

// note starts the line of what goes on after the last cell.
func (p *Progress) note(what string) {
	if p != nil {
		p.line(what)
	}
}

// begin starts the line of a cell.
func (p *Progress) begin(number, total int, source string) {
	if p == nil {
		return
	}
	digits := len(fmt.Sprint(total))
	p.line(fmt.Sprintf("[%*d/%d] %s", digits, number, total, firstLine(source)))
}

func (p *Progress) line(head string) {
	p.halt()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head, p.began, p.last, p.current = head, time.Now(), nil, false
	if p.width == nil {
		fmt.Fprint(p.w, head)
		return
	}
	p.stop = make(chan struct{})
	go p.live(p.stop)
}

// live draws the changing line until stop is closed.
func (p *Progress) live(stop chan struct{}) {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		p.mu.Lock()
		select {
		case <-stop:
			p.mu.Unlock()
			return
		default:
		}
		text := fmt.Sprintf("%s  %s", p.head, seconds(time.Since(p.began)))
		if s := visible(string(p.last)); s != "" {
			text += "  " + s
		}
		fmt.Fprintf(p.w, "\r\x1b[K%s", cut(text, p.width()-1))
		p.mu.Unlock()
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// halt ends the changing line, if there is one, and takes it away.
func (p *Progress) halt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// text takes what the running cell prints.
func (p *Progress) text(b []byte) {
	if p == nil || p.width == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		if i := bytes.LastIndexByte(bytes.TrimSuffix(line, []byte("\r")), '\r'); i >= 0 {
			line, p.current = line[i+1:], false // a progress bar starts its line again
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if !p.current {
				p.last = nil
			}
			p.last = append(p.last, line...)
			p.last = p.last[:min(len(p.last), 1000)]
		}
		p.current = !ended
		b = rest
	}
}

// warn writes a sentence that the person should read now, though the cell goes
// on, on a line of its own.
func (p *Progress) warn(sentence string) {
	if p == nil || sentence == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !strings.HasPrefix(sentence, "holt: ") {
		sentence = "holt: " + sentence
	}
	sentence = visible(sentence)
	switch {
	case p.head == "":
		fmt.Fprintln(p.w, sentence)
	case p.width != nil: // the changing line is drawn again below it
		fmt.Fprintf(p.w, "\r\x1b[K%s\n", sentence)
	default:
		fmt.Fprintf(p.w, "\n%s\n%s", sentence, p.head)
	}
}

// end ends the line of a cell.
func (p *Progress) end(failed bool) {
	if p == nil {
		return
	}
	p.halt()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.head == "" {
		return
	}
	text := "  " + seconds(time.Since(p.began))
	if failed {
		text += ", failed"
	}
	if p.width != nil {
		text = cut(p.head, p.width()-len(text)-1) + text
	}
	fmt.Fprintln(p.w, text)
	p.head = ""
}

// firstLine is the first line of a cell that says something.
func firstLine(source string) string {
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" && line != "%%" {
			return cut(visible(line), 72)
		}
	}
	return ""
}

func seconds(d time.Duration) string {
	if d >= 10*time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// visible leaves out what would move a terminal's cursor or change its
// colours.
func visible(s string) string {
	s = ansi.ReplaceAllString(s, "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s))
}

func cut(s string, columns int) string {
	r := []rune(s)
	if len(r) <= columns || columns < 1 {
		return s
	}
	return string(r[:columns-1]) + "…"
}
