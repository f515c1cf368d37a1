//go:build !cgo || !unix

// Package calls has functions in C that XLA's programs for the processor call; a program
// that was built without cgo has none of them.
package calls

import "unsafe"

// Has reports false.
func Has(target string) bool { return false }

// Register reports false: there is nothing to register.
func Register(api unsafe.Pointer) bool { return false }
