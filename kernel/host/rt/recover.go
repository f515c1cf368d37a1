package rt

import "runtime"

// Recovered returns v, which recover returned. An error that names a missing
// method names it as the cell's text does.
func Recovered(v any) any {
	if e, ok := v.(*runtime.TypeAssertionError); ok && Host.Missing != nil {
		Host.Missing(e)
	}
	return v
}
