//go:build !linux

package xla

// withoutSignals runs f: Holt has plugins for Linux.
func withoutSignals(f func()) { f() }
