package dl

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// settings writes a layer, loss or optimizer as text that is the same for the
// same settings: its type and its fields, with what pointers point to.
func settings(v any) string {
	var buf [256]byte
	return string(appendSettings(buf[:0], reflect.ValueOf(v)))
}

func appendSettings(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		b = strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		b = strconv.AppendInt(b, v.Int(), 10)
	case reflect.Float32, reflect.Float64:
		b = strconv.AppendUint(b, math.Float64bits(v.Float()), 16) // all bits count
	case reflect.String:
		b = strconv.AppendQuote(b, v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "nil"...)
		}
		if v.Elem().Kind() == reflect.Struct { // a value of the user's, which may hold itself
			return fmt.Appendf(b, "%#v", v)
		}
		b = appendSettings(append(b, '&'), v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return append(b, "nil"...)
		}
		b = append(b, '[')
		for i := range v.Len() {
			b = append(appendSettings(b, v.Index(i)), ' ')
		}
		b = append(b, ']')
	case reflect.Struct:
		b = append(append(b, v.Type().String()...), '{')
		for i := range v.NumField() {
			b = append(appendSettings(b, v.Field(i)), ' ')
		}
		b = append(b, '}')
	default:
		b = fmt.Appendf(b, "%#v", v)
	}
	return b
}
