package orphan

import (
	"strconv"

	"golang.org/x/sys/windows"
)

// parent returns a function that reports whether a process is gone; nil where the text is
// of none. On Windows jupyter_client names the process by a handle that the kernel
// inherits, not by its id.
func parent(handle string) (gone func() bool) {
	h, err := strconv.ParseUint(handle, 10, 64)
	if err != nil || h == 0 {
		return nil
	}
	return func() bool {
		event, err := windows.WaitForSingleObject(windows.Handle(h), 0)
		return err == nil && event == windows.WAIT_OBJECT_0
	}
}
