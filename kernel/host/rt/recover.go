package rt

import "runtime"

// Recovered returns v, which recover returned. An error that names a missing
// method names it as the cell's text does.
func Recovered(v any) any {
	if e, ok := v.(*runtime.TypeAssertionError); ok && OnMissing != nil {
		OnMissing(e)
	}
	return v
}

// OnMissing mends the name of the method in an error. The host process sets it.
var OnMissing func(*runtime.TypeAssertionError)
