//go:build !cgo || !unix

// Package filters computes the gradient of a convolution for its filters on the
// processor; a program that was built without cgo has none of it.
package filters

import "unsafe"

// Name is the target of the custom call.
const Name = "holt_filters_gradient"

// Register reports false: there is nothing to register.
func Register(api unsafe.Pointer) bool { return false }
