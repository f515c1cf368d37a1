package dl

import "fmt"

// python writes a bool as Python does.
func python(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// tuple writes a shape as Python does.
func tuple(s Shape) string {
	if len(s) == 1 {
		return fmt.Sprintf("(%d,)", s[0])
	}
	text := "("
	for i, n := range s {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text + ")"
}
