// Package frame carries what a cell shows from the host process to the kernel.
//
// A [Bundle] is one value in several MIME types. Display code builds a bundle
// and hands it to [Display], [Update], [Result] or [Clear]; the host process
// connects these to the kernel with [SetSink]. Outside a notebook (a plain
// program, a test) there is no sink, and the bundle's text/plain goes to
// standard output.
//
// On the wire a [Message] is a 4-byte big-endian length followed by that many
// bytes of JSON: see [Write] and [Read].
//
// The package imports only the standard library, because every cell links it.
package frame

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"sync"
)

// Bundle is one value as a notebook shows it.
type Bundle struct {
	// Data holds, by MIME type, the text of the representation; binary types
	// such as image/png hold standard base64 (see [PNG]), and types ending in
	// json hold any value that encoding/json can encode.
	Data map[string]any `json:"data"`
	// Metadata holds, by MIME type, hints such as width and height in pixels.
	Metadata map[string]any `json:"metadata,omitempty"`
	// DisplayID names the display for a later Update; empty for none.
	DisplayID string `json:"display_id,omitempty"`
}

// Text returns a bundle of text/plain.
func Text(s string) Bundle {
	return Bundle{Data: map[string]any{"text/plain": s}}
}

// PNG returns a bundle of a PNG picture that is shown at width × height CSS
// pixels, with text as its text/plain and, for screen readers, [Alt] of it as its
// alternative text, where nbconvert looks for that.
func PNG(png []byte, width, height int, text string) Bundle {
	return Bundle{
		Data: map[string]any{
			"image/png":  base64.StdEncoding.EncodeToString(png),
			"text/plain": text,
		},
		Metadata: map[string]any{
			"image/png": map[string]any{"width": width, "height": height, "alt": Alt(text)},
		},
	}
}

// Alt returns the alternative text of a picture that has a text beside it: its
// lines, parted by semicolons, without the spaces that align columns.
func Alt(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "; ")
}

var (
	mu       sync.Mutex
	sink     func(Message) error
	flushers = map[int]func(){}
	nextID   int
)

// SetSink connects the package to the kernel. The host process calls it once.
func SetSink(f func(Message) error) {
	mu.Lock()
	defer mu.Unlock()
	sink = f
}

// Connected reports whether the program runs under a kernel.
func Connected() bool {
	mu.Lock()
	defer mu.Unlock()
	return sink != nil
}

// Display shows a bundle below the cell (Jupyter's display_data).
func Display(b Bundle) error { return Send(Message{Kind: KindDisplay, Bundle: &b}) }

// Update replaces every picture with the bundle's DisplayID, in whichever cell
// it is (Jupyter's update_display_data).
func Update(b Bundle) error { return Send(Message{Kind: KindUpdate, Bundle: &b}) }

// Result shows a bundle as the value of the running cell (execute_result).
func Result(b Bundle) error { return Send(Message{Kind: KindResult, Bundle: &b}) }

// Clear removes the running cell's output; with wait, only when new output
// arrives (clear_output).
func Clear(wait bool) error { return Send(Message{Kind: KindClear, Wait: wait}) }

// Warn tells the person what went otherwise than they asked, in one plain
// sentence: it is text on the cell's standard error, and holt run shows it on
// the terminal at once. Without a kernel it goes to the standard error.
func Warn(sentence string) error {
	if !Connected() {
		_, err := fmt.Fprintln(os.Stderr, sentence)
		return err
	}
	b := Text(sentence)
	return Send(Message{Kind: KindWarn, Bundle: &b})
}

// OnFlush registers f to be called by [Flush], so that a paced display can
// show its latest state. It returns a function that takes f off the list.
func OnFlush(f func()) (remove func()) {
	mu.Lock()
	defer mu.Unlock()
	id := nextID
	nextID++
	flushers[id] = f
	return func() {
		mu.Lock()
		defer mu.Unlock()
		delete(flushers, id)
	}
}

// Flush calls the functions registered with [OnFlush]. The host process calls
// it when a cell ends, before the kernel learns of the end.
func Flush() {
	mu.Lock()
	fs := make([]func(), 0, len(flushers))
	for id := range nextID { // in the order of registration
		if f := flushers[id]; f != nil {
			fs = append(fs, f)
		}
	}
	mu.Unlock()
	for _, f := range fs {
		f()
	}
}

// Pending counts the functions registered with [OnFlush]: displays that may
// still change, such as the plot of a training that goes on.
func Pending() int {
	mu.Lock()
	defer mu.Unlock()
	return len(flushers)
}

// Send hands a message to the kernel. Outside a notebook the text of its bundle,
// if it has one, goes to standard output.
func Send(m Message) error {
	mu.Lock()
	f := sink
	mu.Unlock()
	if f != nil {
		return f(m)
	}
	if m.Bundle != nil {
		if text, ok := m.Bundle.Data["text/plain"].(string); ok {
			fmt.Fprintln(os.Stdout, text)
		}
	}
	return nil
}
