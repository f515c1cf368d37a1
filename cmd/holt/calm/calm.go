// Package calm writes what a long build does for a person who watches.
package calm

import (
	"fmt"
	"io"
	"time"
)

// every is how often a build says how far it is.
const every = 10 * time.Second

// Lines writes that a build begins, when its first line comes, and from then on a line every
// ten seconds. W, Now and First are required.
type Lines struct {
	W     io.Writer
	Now   func() time.Time
	First string // what is built, and how long that takes
	last  time.Time
}

// Say is for the lines of a build, such as those of build.Options.Progress.
func (c *Lines) Say(line string) {
	switch now := c.Now(); {
	case c.last.IsZero():
		fmt.Fprintln(c.W, c.First)
		c.last = now
	case now.Sub(c.last) >= every:
		fmt.Fprintln(c.W, "  "+line)
		c.last = now
	}
}

// Host begins the lines of the host's build.
const Host = "building the host program: once, about a minute, longer on a busy machine"
