//go:build !linux

package process

// Background does nothing: this system has no priorities for threads that a program may set.
func Background() {}
