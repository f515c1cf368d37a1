package frame

import (
	"encoding/json"
	"fmt"
)

// Live says of an output that it follows what goes on in the host, such as a
// training, so that pages can follow it by a comm too.
type Live struct {
	// Going is whether it may still change.
	Going bool `json:"going"`
	// Of is the display that pages follow; empty where it is the bundle's own.
	Of string `json:"of,omitempty"`
	// View is HTML of all there is to see; empty where the bundle's own is all of it.
	View string `json:"view,omitempty"`
	// State is what a page of controls is to know of each change. Such a page asks for
	// the view where it needs it. A run has none, and its pages are given the view.
	State json.RawMessage `json:"state,omitempty"`
	// Ended is why it no longer goes on, in a few words; empty for one that has come to its end.
	Ended string `json:"ended,omitempty"`
}

var steered = map[string]func(action, value string) error{} // by display id; guarded by mu

// OnSteer registers what carries out the wishes of a person who watches a
// display. It returns a function that takes it off again.
func OnSteer(display string, f func(action, value string) error) (remove func()) {
	mu.Lock()
	defer mu.Unlock()
	steered[display] = f
	return func() {
		mu.Lock()
		defer mu.Unlock()
		delete(steered, display)
	}
}

// Steer carries out what a person wishes of what a display shows: an action,
// such as "pause", and its value as JSON.
func Steer(display, action, value string) error {
	mu.Lock()
	f := steered[display]
	mu.Unlock()
	if f == nil {
		return fmt.Errorf("%s: what is shown has ended", action)
	}
	return f(action, value)
}
