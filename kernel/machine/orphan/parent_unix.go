//go:build unix

package orphan

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

// parent returns a function that reports whether the process of an id is gone; nil where
// the id is of none.
func parent(id string) (gone func() bool) {
	pid, err := strconv.Atoi(id)
	if err != nil || pid <= 1 {
		return nil
	}
	return func() bool {
		err := syscall.Kill(pid, 0)
		return errors.Is(err, syscall.ESRCH) || os.Getppid() == 1 && pid != 1
	}
}
