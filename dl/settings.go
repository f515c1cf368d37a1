package dl

import (
	"fmt"
	"reflect"
	"strings"
)

// settings writes a layer, loss or optimizer as text that is the same for the
// same settings: %#v with what pointers point to.
func settings(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v))
	return b.String()
}

func write(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() == reflect.Struct { // a value of the user's, which may hold itself
			fmt.Fprintf(b, "%#v", v)
			return
		}
		b.WriteByte('&')
		write(b, v.Elem())
	case reflect.Struct:
		fmt.Fprintf(b, "%v{", v.Type())
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			write(b, v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%#v", v)
	}
}
