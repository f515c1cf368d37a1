package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Stat returns the fields of Linux's /proc/PID/stat from the third on: state, parent, group, …
// (proc(5)). There are none where no such process is known. The state is Z of one that has ended
// and that its parent has not asked about yet; it still takes signals.
func Stat(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// The second field is the name in parentheses, and may hold anything.
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}
