package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// tasks returns the folders of the threads of a process below /proc; none when the process has
// ended.
func tasks(pid int) []string {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for i, name := range names {
		names[i] = dir.Name() + "/" + name
	}
	return names
}

// glance reads the beginning of a file of /proc into buf, and returns nil where it cannot. It
// costs less than [os.ReadFile], which matters for one that is read again and again: no
// allocation, and no look at the file's size, which is 0 below /proc.
func glance(file string, buf []byte) []byte {
	fd, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// descendants returns the processes that a process started, and those that they started,
// parents first. Each thread has children of its own in /proc; a process whose parent has ended
// is another's child, and is missed.
func descendants(pid int) []int {
	var list []int
	var buf [4096]byte
	for _, task := range tasks(pid) {
		for _, field := range strings.Fields(string(glance(task+"/children", buf[:]))) {
			child, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			list = append(append(list, child), descendants(child)...)
		}
	}
	return list
}

// programs returns the processes that were started since a time, and are of this
// process's group: what a cell has started, but for what it gave a session or a
// group of its own. One whose parent has ended is among them.
func programs(since time.Duration) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []int
	var buf [1024]byte
	self, group := os.Getpid(), strconv.Itoa(syscall.Getpgrp())
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == self {
			continue
		}
		stat := string(glance("/proc/"+e.Name()+"/stat", buf[:]))
		// pid (name) state parent group … start time in hundredths of a second as
		// field 22, where the name may hold anything.
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		// Behind the name, field 3 of proc(5) is the first: so the group (5) is fields[2], and
		// the start (22) fields[19]. A zombie has ended.
		if len(fields) < 20 || fields[0] == "Z" || fields[2] != group {
			continue
		}
		start, err := strconv.ParseInt(fields[19], 10, 64)
		if err == nil && start >= int64(since/(10*time.Millisecond)) {
			list = append(list, pid)
		}
	}
	return list
}

// sinceBoot is the clock of start times in /proc: CLOCK_BOOTTIME, which goes on while the
// machine sleeps, unlike the monotonic clock of package time.
func sinceBoot() time.Duration {
	const clockBoottime = 7
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 1<<63 - 1 // nothing was started since
	}
	return time.Duration(ts.Nano())
}

// endPrograms interrupts what a cell has started, as Ctrl-C in a terminal does, and kills what has
// not ended 2 [Grace] later. It sends done then, or earlier when nothing is left and the cell is
// over, with whether there were any. A cell that is not may be about to start a program, just
// before it would see that it is interrupted: that one is interrupted, too, within Grace, when the
// cell is given up.
//
// Programs are known by when they were started, not by who started them. So what a goroutine of
// an earlier cell starts while this one runs ends too; no sign in /proc tells the two apart. The
// next cell begins when this one is reported, and what starts from then on is left alone.
func (e *execution) endPrograms(done chan<- bool) {
	own := map[int]bool{}
	defer func() { done <- len(own) > 0 }()
	begun := time.Now()
	for first := true; ; first = false {
		list := programs(e.boot)
		over := e.reported.Load() // asked after the list: it may have some of the next cell
		late := time.Since(begun) >= 2*Grace
		left := false
		for _, pid := range list {
			switch {
			case own[pid] && late:
				syscall.Kill(pid, syscall.SIGKILL)
			case own[pid]:
				left = true
			case first || !over:
				own[pid], left = true, true
				syscall.Kill(pid, syscall.SIGINT)
			}
		}
		if late || !left && (over || time.Since(begun) >= Grace) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
