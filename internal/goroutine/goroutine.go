// Package goroutine tells goroutines apart.
package goroutine

// ID returns a number that no other goroutine has while this one lives. One that begins
// after its end may have it again.
func ID() uintptr { return id() }
