package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// tasks returns the folders of the threads of a process below /proc.
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

// glance reads the beginning of a file of /proc into buf. It costs less than
// [os.ReadFile], which matters for one that is read again and again.
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

// descendants returns the processes that a process started, and those that
// they started, parents first.
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
