//go:build race

package limit

// race tells whether the race detector is on.
const race = true
