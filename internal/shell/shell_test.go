package shell

import (
	"os/exec"
	"testing"
)

// TestWords has a shell read words back.
func TestWords(t *testing.T) {
	for _, s := range []string{"", "a", "it's", "it's $HOME", "a b\nc", `"\\`, "~", "*", "--x=1,2", "ä"} {
		for _, word := range []string{Quote(s), Word(s)} {
			if got, err := exec.Command("sh", "-c", "printf %s "+word).Output(); err != nil || string(got) != s {
				t.Errorf("%q as %s is read as %q, %v", s, word, got, err)
			}
		}
	}
	if got := Word("a/b.ipynb"); got != "a/b.ipynb" {
		t.Errorf("a name without special characters is %s", got)
	}
}
