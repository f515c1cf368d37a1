// Package thousands writes numbers so that a person reads how large they are. It imports
// what every cell links in any case.
package thousands

import "strconv"

// Text writes a whole number with a comma before each three digits: 50,000.
func Text(n int) string {
	s := strconv.Itoa(n)
	first := 0
	if n < 0 {
		first = len("-")
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
