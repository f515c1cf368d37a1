//go:build cgo && unix

package pjrt

/*
#include <stddef.h>
#include <stdint.h>
*/
import "C"
import "unsafe"

// These are in a file of their own, because the C code beside exported functions must be
// declarations only.

//export holtGet
func holtGet(keys C.uintptr_t, key *C.char, n C.size_t, ms C.int, now C.int, value **C.char, size *C.size_t, problem **C.char) C.int {
	v, err := getKey(uintptr(keys), C.GoStringN(key, C.int(n)), int(ms), now != 0)
	return C.int(answerKey(v, err, unsafe.Pointer(value), unsafe.Pointer(size), unsafe.Pointer(problem)))
}

//export holtPut
func holtPut(keys C.uintptr_t, key *C.char, n C.size_t, value *C.char, size C.size_t, problem **C.char) C.int {
	err := putKey(uintptr(keys), C.GoStringN(key, C.int(n)), C.GoBytes(unsafe.Pointer(value), C.int(size)))
	return C.int(answerKey(nil, err, nil, nil, unsafe.Pointer(problem)))
}
