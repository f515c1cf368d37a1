//go:build race

package limit

// race reports whether the race detector is on.
const race = true
