//go:build !race

package limit

const race = false
