package dl

import (
	"fmt"
	"strings"

	"github.com/holt-dl/holt/internal/near"
)

// unknown is the error for a path or a name that a model does not have. It
// lists those there are, a few of them where there are many, and names the
// one that was likely meant: fields have capital letters, parameters none.
func unknown(op, what, got string, names []string) error {
	const most = 24
	list, hint := strings.Join(names, ", "), ""
	if len(names) > most {
		list = fmt.Sprintf("%s, … (%d in all)", strings.Join(names[:most], ", "), len(names))
	}
	if len(names) == 0 {
		return fmt.Errorf("dl: %s: %s is %q, but the model is one layer, which has no name", op, what, got)
	}
	if n := near.To(got, names); n != "" && withoutDigits(n) != withoutDigits(got) { // of 0 to 9, any may be meant
		hint = fmt.Sprintf("; did you mean %s?", n)
	}
	return fmt.Errorf("dl: %s: %s is %q, want one of %s%s", op, what, got, list, hint)
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}
