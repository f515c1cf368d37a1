package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/kernel/notebook/course"
)

type courseCmd struct {
	Dir string `arg:"" type:"path" help:"The folder; it is made where it is not there."`
}

// Help is what holt course --help says besides the flags.
func (courseCmd) Help() string {
	return `The folder gets the notebooks of the course, from devices to remote kernels, and a gallery. A notebook in it that
you changed, also by running it, stays as it is; the others are brought up to date.`
}

// Run writes the course.
func (c courseCmd) Run() error {
	r, err := writeCourse(c.Dir)
	if err != nil {
		return err
	}
	fmt.Printf("the course is in %s: %d notebooks are new, %d were there; begin with %s\n",
		c.Dir, len(r.Written), len(r.Kept)+len(r.Same), filepath.Join(c.Dir, firstNotebook))
	return nil
}

// firstNotebook is the one that a newcomer opens.
const firstNotebook = "quickstart.ipynb"

// writeCourse writes the course and names what was kept.
func writeCourse(dir string) (course.Result, error) {
	r, err := course.Write(dir, holt.Course)
	if len(r.Kept) > 0 {
		fmt.Fprintf(os.Stderr, "holt: changed by you, and kept: %s\n", strings.Join(r.Kept, ", "))
	}
	return r, err
}
