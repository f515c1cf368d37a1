package frame

import "fmt"

// Live says of an output that it follows what goes on in the host, such as a
// training, so that pages can follow it by a comm too.
type Live struct {
	// Going is whether it may still change.
	Going bool `json:"going"`
	// View is HTML of all there is to see; empty where the bundle's own is all of it.
	View string `json:"view,omitempty"`
}

var steered = map[string]func(action string, value float64) error{} // by display id; guarded by mu

// OnSteer registers what carries out the wishes of a person who watches a
// display. It returns a function that takes it off again.
func OnSteer(display string, f func(action string, value float64) error) (remove func()) {
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
// such as "pause", and its value where it has one.
func Steer(display, action string, value float64) error {
	mu.Lock()
	f := steered[display]
	mu.Unlock()
	if f == nil {
		return fmt.Errorf("%s: what is shown has ended", action)
	}
	return f(action, value)
}
