package kernel

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/process"
)

// usageMeter measures what the kernel and its children use, as
// jupyter-resource-usage asks for it
// (https://github.com/jupyter-server/jupyter-resource-usage). It reads Linux's
// /proc; elsewhere the numbers are absent.
type usageMeter struct {
	mu   sync.Mutex
	when time.Time
	used map[int]float64 // seconds of CPU, by process
	busy float64         // of the whole machine
	all  float64
}

// ticks is USER_HZ, the unit of CPU times in /proc: 100 a second on every
// architecture that Go runs Linux on.
const ticks = 100

// read returns the content of usage_reply.
func (u *usageMeter) read() any {
	u.mu.Lock()
	defer u.mu.Unlock()
	host, _ := os.Hostname()
	reply := map[string]any{"status": "ok", "hostname": host, "pid": os.Getpid(), "cpu_count": runtime.NumCPU()}

	now := time.Now()
	elapsed := now.Sub(u.when).Seconds()
	used := map[int]float64{}
	var percent float64
	var memory int64
	for _, pid := range family(os.Getpid()) {
		t, ok := cpuSeconds(pid)
		if !ok {
			continue
		}
		used[pid] = t
		if before, known := u.used[pid]; known && elapsed > 0 {
			percent += 100 * (t - before) / elapsed
		}
		memory += proportional(pid)
	}
	if len(used) > 0 {
		reply["kernel_cpu"], reply["kernel_memory"] = percent, memory
	}
	u.when, u.used = now, used

	if busy, all, ok := hostCPU(); ok {
		if all > u.all && u.all > 0 {
			reply["host_cpu_percent"] = 100 * (busy - u.busy) / (all - u.all)
		}
		u.busy, u.all = busy, all
	}
	if m := fields("/proc/meminfo"); m["MemTotal"] > 0 {
		total, available := m["MemTotal"], m["MemAvailable"]
		reply["host_virtual_memory"] = map[string]any{
			"total": total, "available": available, "free": m["MemFree"],
			"used": total - available, "percent": 100 * float64(total-available) / float64(total),
		}
	}
	return reply
}

// family returns a process and all its descendants.
func family(root int) []int {
	children := map[int][]int{}
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		if pid, err := strconv.Atoi(d.Name()); err == nil {
			if f := process.Stat(pid); len(f) > 1 {
				parent, _ := strconv.Atoi(f[1])
				children[parent] = append(children[parent], pid)
			}
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

func cpuSeconds(pid int) (float64, bool) {
	f := process.Stat(pid)
	if len(f) < 13 {
		return 0, false
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / ticks, true
}

// proportional is the memory of a process in bytes, shared pages divided
// among those that share them; resident memory where that is not told.
func proportional(pid int) int64 {
	dir := "/proc/" + strconv.Itoa(pid)
	if pss, ok := fields(dir + "/smaps_rollup")["Pss"]; ok {
		return pss
	}
	return fields(dir + "/status")["VmRSS"]
}

// fields reads lines such as "Pss:  12 kB", in bytes.
func fields(path string) map[string]int64 {
	data, _ := os.ReadFile(path)
	m := map[string]int64{}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) == 2 && f[1] == "kB" {
			kb, _ := strconv.ParseInt(f[0], 10, 64)
			m[name] = kb << 10
		}
	}
	return m
}

// hostCPU returns the time that all processors together were busy, and all of
// their time, in ticks.
func hostCPU() (busy, all float64, ok bool) {
	data, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(data), "\n")
	f := strings.Fields(line)
	if len(f) < 6 || f[0] != "cpu" {
		return 0, 0, false
	}
	for i, v := range f[1:min(len(f), 9)] { // guest time is part of user time
		t, _ := strconv.ParseFloat(v, 64)
		all += t
		if i != 3 && i != 4 { // idle, and waiting for disks
			busy += t
		}
	}
	return busy, all, true
}
