package session

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Linux lets a process have 65,530 memory maps, and a cell's plugin, which is
// never unloaded, takes three or four of them. Without a map left no cell can be
// loaded, and the runtime ends for want of memory, so it is said long before.
const mapsEvery = 50 // cells between two looks, which read a file of a line a map

// warnOfMaps says when the host has few memory maps left, which is when nine tenths are used.
// It counts calls, one for each program, and looks at every 50th. The caller holds run.
func (s *Session) warnOfMaps() {
	if s.programs++; s.programs%mapsEvery != 0 {
		return
	}
	used, limit, err := memoryMaps(s.process().PID())
	if err != nil || used < limit/10*9 {
		return
	}
	s.notice(fmt.Sprintf("the host process has %d memory maps of the %d that the system allows, and each cell takes a few: save what you need and restart the kernel, or let an administrator raise the limit with: sysctl -w vm.max_map_count=%d", used, limit, 4*limit))
}

// memoryMaps returns how many maps a process has, and may have. Each line of /proc/PID/maps is
// one. The file is read in pieces, as it has megabytes near the limit.
func memoryMaps(pid int) (used, limit int, err error) {
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err != nil {
		return 0, 0, err
	}
	if limit, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return 0, 0, err
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	// Lines are counted, and none is kept.
	for buf := make([]byte, 64<<10); ; {
		n, err := f.Read(buf)
		used += bytes.Count(buf[:n], []byte("\n"))
		if err == io.EOF {
			return used, limit, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}
