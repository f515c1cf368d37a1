package host

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

// nameMissing takes our mark off the method that a failed assertion misses: an
// unexported method of a cell has another name in the code that is compiled. The
// field is the runtime's own; where it is not found, the mark stays.
func nameMissing(e *runtime.TypeAssertionError) {
	f := reflect.ValueOf(e).Elem().FieldByName("missingMethod")
	if f.Kind() == reflect.String {
		name := (*string)(unsafe.Pointer(f.UnsafeAddr()))
		*name = strings.TrimPrefix(*name, "Ħ")
	}
}

// unmarked is the text of a panic. That of a failed assertion may hold our mark
// on methods of interfaces, too.
func unmarked(r any) string {
	if _, ok := r.(*runtime.TypeAssertionError); ok {
		return strings.ReplaceAll(text(r), "Ħ", "")
	}
	return text(r)
}
