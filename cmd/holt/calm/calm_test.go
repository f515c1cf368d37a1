package calm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A build of a minute says at once that it begins, and then seldom how far it is.
func TestLines(t *testing.T) {
	var b strings.Builder
	now := time.Unix(1e9, 0)
	lines := Lines{W: &b, Now: func() time.Time { return now }, First: Host}
	for i := range 25 {
		lines.Say(fmt.Sprintf("building p (%d/25 packages)", i))
		now = now.Add(time.Second)
	}
	want := "building the host program: once, about a minute, longer on a busy machine\n  building p (10/25 packages)\n  building p (20/25 packages)\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
