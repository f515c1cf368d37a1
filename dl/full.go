package dl

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// ErrOutOfMemory is wrapped by the error of a step, prediction, calculation or
// copy that did not fit the device. Nothing has changed then: weights,
// optimizer and data are as they were, and a smaller batch goes on from there.
//
//	if _, err := step.Do(batch); errors.Is(err, dl.ErrOutOfMemory) {
var ErrOutOfMemory = errors.New("out of memory")

// roomy runs f, which takes memory of the device. Where there is too little,
// it runs it again, a few times, after what no variable holds was freed: the
// collector knows only how full the host is.
func (on *device) roomy(f func() error) error {
	err := f()
	if err == nil || !exhausted(err) {
		return err
	}
	// The runtime frees by several goroutines, and says not when all are done.
	for pause := 10 * time.Millisecond; pause < time.Second; pause *= 4 {
		collect()
		time.Sleep(pause)
		if err = f(); err == nil || !exhausted(err) {
			return err
		}
	}
	return on.full(err)
}

// exhausted tells whether an error of a backend says that memory is missing.
// XLA on the processor wraps it as an internal error, with these words.
func exhausted(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "resource_exhausted") || strings.Contains(text, "out of memory")
}

// askedFor finds the size in XLA's message.
var askedFor = regexp.MustCompile(`(?i)allocat\w+ (\d+) ?bytes|allocate (?:request for )?(\S+?iB)`)

// full is the error of a device that is full: what was asked for, what it has
// and what to try.
func (on *device) full(err error) error {
	asked := "more"
	if m := askedFor.FindStringSubmatch(err.Error()); m != nil {
		asked = m[2]
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			asked = Bytes(n).String()
		}
	}
	has := on.label() + " has not so much left"
	if all, free := memory(on.name, on.backend, int(on.num)); all > 0 {
		has = fmt.Sprintf("%s has %v, of which %v are free", on.label(), all, free)
	}
	try := "use a smaller batch, Options{Accumulate: 2} or Options{Precision: dl.BFloat16}, set variables that are not needed to nil"
	if on.name == "cuda" {
		try += `, or go on with dl.Use("cpu")`
	}
	return &fullError{fmt.Sprintf("%s was asked for in one piece, and %s; %s", asked, has, try), err}
}

// fullError is ErrOutOfMemory in few words. What the backend said is long, and
// behind Unwrap.
type fullError struct {
	text string
	err  error
}

func (e *fullError) Error() string   { return ErrOutOfMemory.Error() + ": " + e.text }
func (e *fullError) Unwrap() []error { return []error{ErrOutOfMemory, e.err} }

// collect frees the memory of tensors that no variable holds, here and on the
// devices. It waits for the collector's cleanups, but not for ever.
func collect() {
	done := make(chan struct{})
	mark := &struct{ done chan struct{} }{done}
	runtime.AddCleanup(mark, func(done chan struct{}) { close(done) }, done)
	runtime.KeepAlive(mark)
	mark = nil
	runtime.GC()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}
