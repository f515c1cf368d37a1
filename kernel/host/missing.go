package host

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

// nameMissing takes our mark off the method that a failed assertion misses: an unexported
// method of a cell has another name in the code that is compiled. The field is the runtime's
// own; where it is not found, the mark stays.
//
//	interface conversion: c1.T is not c2.Shape: missing method Ħarea
//
// It is the hook Missing of package rt, for values that a cell itself recovers. It changes the
// error itself.
func nameMissing(e *runtime.TypeAssertionError) {
	f := reflect.ValueOf(e).Elem().FieldByName("missingMethod")
	if f.Kind() == reflect.String {
		name := (*string)(unsafe.Pointer(f.UnsafeAddr()))
		*name = strings.TrimPrefix(*name, "Ħ")
	}
}

// unmarked is the text of a panic. That of a failed assertion may hold our mark on methods of
// interfaces, too. Other texts stay as they are: a person may use the letter.
func unmarked(r any) string {
	if _, ok := r.(*runtime.TypeAssertionError); ok {
		return strings.ReplaceAll(text(r), "Ħ", "")
	}
	return text(r)
}
