package local

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A build of a minute says at once that it begins, and then seldom how far it is.
func TestCalmLines(t *testing.T) {
	var b strings.Builder
	now := time.Unix(1e9, 0)
	lines := calmLines{w: &b, now: func() time.Time { return now }}
	for i := range 25 {
		lines.say(fmt.Sprintf("building p (%d/25 packages)", i))
		now = now.Add(time.Second)
	}
	want := "building the host program: once, about a minute, longer on a busy machine\n  building p (10/25 packages)\n  building p (20/25 packages)\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
