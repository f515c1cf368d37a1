package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/holt-dl/holt/kernel/host/msg"
)

// errNoInput is why there is no line where Options.Input is nil.
var errNoInput = errors.New("this program has no one to ask")

// ask answers a cell that waits for standard input: with a line of the person's, or with end of
// file where there is no person. It is a goroutine of its own for each question; the host asks
// again only when it has the answer.
//
// A cell that reads says by no message what it wants to know. So the question is what it
// printed last without ending the line:
//
//	fmt.Print("Name? "); fmt.Scanln(&name)    →    Name?
func (p *Process) ask() {
	// gonbui.RequestInput has asked already, and its program now reads the answer: that is the
	// read that the host has seen.
	if p.questions.wait() {
		p.give(msg.Line{}) // the line has been given already
		return
	}
	// The question may still be in a pipe.
	p.drain()
	p.deliver.Lock()
	prompt := p.prompt.String()
	p.deliver.Unlock()
	line, err := "", errNoInput
	// Nothing is locked meanwhile: output goes on while the person thinks.
	if p.opt.Input != nil {
		line, err = p.opt.Input(prompt, false)
	}
	if interrupted(err) {
		return
	}
	p.deliver.Lock()
	if err == nil {
		// The line that the person has typed ends it.
		p.prompt.text = nil
	} else {
		p.opt.Stderr(fmt.Appendf(nil, "holt: this cell reads standard input and finds its end: %v\n", err))
	}
	p.deliver.Unlock()
	if err != nil {
		p.give(msg.Line{EOF: true})
		return
	}
	p.give(msg.Line{Text: line + "\n"})
}

// interrupted reports whether a question ended with the cell that it belongs to.
// The host closes that cell's standard input when it hears of the interrupt: if
// the cell found the end before, it would take that for an answer.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// give sends the host a line, or the end, of standard input. A host that is gone needs none.
func (p *Process) give(l msg.Line) { p.send(msg.KindLine, 0, l) }

// prompt is what was printed last, as far as its line has not ended: standard output and error
// together, in the order of delivery.
type prompt struct{ text []byte }

// maxPrompt is how many bytes of a line can be a question.
const maxPrompt = 400

// add takes what was printed. A return begins the line anew, as in a progress bar. A long line
// is cut at its beginning, between characters.
func (p *prompt) add(b []byte) {
	if i := bytes.LastIndexAny(b, "\n\r"); i >= 0 {
		p.text, b = nil, b[i+1:]
	}
	p.text = append(p.text, b...)
	if cut := len(p.text) - maxPrompt; cut > 0 {
		p.text = append([]byte(nil), p.text[cut:]...)
		for len(p.text) > 0 && !utf8.RuneStart(p.text[0]) {
			p.text = p.text[1:]
		}
	}
}

// terminalCode matches the sequences by which a terminal is told colours and places.
var terminalCode = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// String returns the prompt without the colours of a terminal, as valid UTF-8, since it goes
// into JSON.
func (p *prompt) String() string {
	return strings.ToValidUTF8(terminalCode.ReplaceAllString(string(p.text), ""), "\uFFFD")
}

// questions counts those that gonbui.RequestInput has put to the person. The program reads the
// line from standard input, and must not cause another. Without this, the host's watch of
// standard input would ask the person a second time.
type questions struct {
	mu   sync.Mutex
	open int
	none chan struct{} // closed when open is 0 again
}

// begin counts a question, before the program can wait for the line.
func (q *questions) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open++; q.open == 1 {
		q.none = make(chan struct{})
	}
}

// end counts its answer.
func (q *questions) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open--; q.open == 0 {
		close(q.none)
	}
}

// wait returns when no question is open, and reports whether one was.
func (q *questions) wait() bool {
	q.mu.Lock()
	open, none := q.open > 0, q.none
	q.mu.Unlock()
	if open {
		<-none
	}
	return open
}
