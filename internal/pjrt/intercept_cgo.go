//go:build cgo && unix

package pjrt

import "C"
import "unsafe"

// holtCompile is in a file of its own, because the C code beside an exported
// function must be declarations only.
//
//export holtCompile
func holtCompile(table, args unsafe.Pointer) unsafe.Pointer { return compileOnce(table, args) }
