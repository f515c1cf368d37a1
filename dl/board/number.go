package board

import (
	"reflect"
	"strconv"
	"time"
)

// toFloat returns the value of any of Go's numbers.
func toFloat(v any) (float64, bool) {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

// timeName is the seconds since 1970, as str(time.time()) writes them.
func timeName() string {
	return strconv.FormatFloat(float64(time.Now().UnixMicro())/1e6, 'f', 6, 64)
}
