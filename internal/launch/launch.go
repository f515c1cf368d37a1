// Package launch reads what a launcher says to each process of a job: which of how many
// it is, and where process 0 is found. It knows torchrun's variables, those of Open MPI's
// mpirun, those of SkyPilot, those of Kubeflow's Trainer, and those of Slurm's srun.
package launch

import (
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// World is the place of a process in its job.
type World struct {
	Rank      int    // of this process, from 0
	Size      int    // processes of the job; 1 without a launcher
	LocalRank int    // of this process among those of its host
	LocalSize int    // processes of the job on this host; 0 where the launcher does not say
	Master    string // where the process of rank 0 listens, host:port; "" in a job of one
	Job       string // the same text in all processes of the job, and another in other jobs
	Launcher  string // torchrun, Open MPI, SkyPilot, Kubeflow Trainer or Slurm; "" without

	// JoinTimeout is how long the processes wait for one another at most, as JoinTimeoutEnv says;
	// 0 where that is not set.
	JoinTimeout time.Duration
}

// JoinTimeoutEnv is the variable of the time that processes wait for all to come, such as 10m:
// hosts may have to fetch an image first.
const JoinTimeoutEnv = "HOLT_JOIN_TIMEOUT"

// Alone is the world of a process that no launcher has started.
func Alone() World { return World{Size: 1, LocalSize: 1} }

// FromEnv reads this process's environment. A variable that is missing or no number is an
// error that names it.
func FromEnv() (World, error) { return fromEnv(os.LookupEnv) }

// fromEnv asks Open MPI's variables before Slurm's: mpirun starts its own processes by
// srun in an allocation of Slurm, and those hand srun's variables on, with the numbers of
// hosts in them. So does SkyPilot on a cluster of Slurm.
func fromEnv(lookup func(string) (string, bool)) (World, error) {
	e := env{lookup: lookup}
	w := Alone()
	switch {
	case e.has("RANK") && e.has("WORLD_SIZE"):
		w = World{Launcher: "torchrun", Rank: e.number("RANK"), Size: e.number("WORLD_SIZE")}
		w.LocalRank, w.LocalSize = e.numberOr("LOCAL_RANK", 0), e.numberOr("LOCAL_WORLD_SIZE", 0)
		w.Job = "torchrun " + e.text("TORCHELASTIC_RUN_ID") + " " + e.text("MASTER_ADDR") + " " + e.text("MASTER_PORT")
		if w.Size > 1 && !e.has("MASTER_ADDR") {
			e.fail("WORLD_SIZE is %d and MASTER_ADDR is not set, want the name or address of the host of rank 0", w.Size)
		}
		port := e.port(29500)
		if e.text("TORCHELASTIC_USE_AGENT_STORE") == "True" {
			port = portOf(w.Job) // torchrun itself listens at the other one
		}
		w.Master = net.JoinHostPort(e.text("MASTER_ADDR"), strconv.Itoa(port))
	case e.has("OMPI_COMM_WORLD_SIZE"):
		w = World{Launcher: "Open MPI", Rank: e.number("OMPI_COMM_WORLD_RANK"), Size: e.number("OMPI_COMM_WORLD_SIZE")}
		w.LocalRank, w.LocalSize = e.numberOr("OMPI_COMM_WORLD_LOCAL_RANK", 0), e.numberOr("OMPI_COMM_WORLD_LOCAL_SIZE", 0)
		w.Job = "Open MPI " + e.text("PMIX_NAMESPACE") + e.text("OMPI_MCA_ess_base_jobid")
		host := e.text("MASTER_ADDR")
		switch {
		case host == "" && w.LocalSize == w.Size:
			host = "127.0.0.1"
		case host == "":
			e.fail("the job has several hosts and MASTER_ADDR is not set, want the host of rank 0: mpirun -x MASTER_ADDR=HOST …")
		}
		w.Master = net.JoinHostPort(host, strconv.Itoa(e.port(portOf(w.Job))))
	case e.has("SKYPILOT_NODE_RANK") && e.has("SKYPILOT_NUM_NODES"): // it starts a process on each host
		w = World{Launcher: "SkyPilot", Rank: e.number("SKYPILOT_NODE_RANK"), Size: e.number("SKYPILOT_NUM_NODES"), LocalSize: 1}
		w.Job = "SkyPilot " + e.text("SKYPILOT_TASK_ID")
		hosts := strings.Fields(e.text("SKYPILOT_NODE_IPS"))
		if len(hosts) == 0 {
			e.fail("SKYPILOT_NODE_IPS is empty, want the address of each host on a line")
			hosts = []string{""}
		}
		w.Master = net.JoinHostPort(hosts[0], strconv.Itoa(e.port(portOf(w.Job))))
	// Torchrun's options, which a TrainJob gives to each of its pods.
	case e.has("PET_NODE_RANK") && e.has("PET_NNODES"):
		w = World{Launcher: "Kubeflow Trainer", Rank: e.number("PET_NODE_RANK"), Size: e.number("PET_NNODES"), LocalSize: 1}
		if w.Size > 1 && !e.has("PET_MASTER_ADDR") {
			e.fail("PET_NNODES is %d and PET_MASTER_ADDR is not set, want the name or address of the host of rank 0", w.Size)
		}
		w.Job = "Kubeflow Trainer " + e.text("PET_MASTER_ADDR") + " " + e.text("PET_MASTER_PORT")
		w.Master = net.JoinHostPort(e.text("PET_MASTER_ADDR"), strconv.Itoa(e.port(e.portOr("PET_MASTER_PORT", 29500))))
	case e.has("SLURM_STEP_NUM_TASKS"):
		w = World{Launcher: "Slurm", Rank: e.number("SLURM_PROCID"), Size: e.number("SLURM_STEP_NUM_TASKS")}
		w.LocalRank = e.numberOr("SLURM_LOCALID", 0)
		w.LocalSize = tasksOf(e.text("SLURM_STEP_TASKS_PER_NODE"), e.numberOr("SLURM_NODEID", 0))
		w.Job = "Slurm " + e.text("SLURM_JOB_ID") + "." + e.text("SLURM_STEP_ID")
		host := e.text("MASTER_ADDR")
		if host == "" {
			host = firstHost(e.text("SLURM_STEP_NODELIST"))
		}
		if host == "" && w.Size > 1 {
			e.fail("SLURM_STEP_NODELIST is %q and names no host", e.text("SLURM_STEP_NODELIST"))
		}
		w.Master = net.JoinHostPort(host, strconv.Itoa(e.port(portOf(w.Job))))
	}
	if e.has(JoinTimeoutEnv) && w.Size > 1 {
		d, err := time.ParseDuration(e.text(JoinTimeoutEnv))
		if err != nil || d <= 0 {
			e.fail("%s is %q, want a time, such as 90s or 10m", JoinTimeoutEnv, e.text(JoinTimeoutEnv))
		}
		w.JoinTimeout = d
	}
	if e.err == nil && (w.Size < 1 || w.Rank < 0 || w.Rank >= w.Size) {
		e.fail("the rank is %d of %d processes, want 0 to %d", w.Rank, w.Size, w.Size-1)
	}
	if e.err != nil {
		return Alone(), fmt.Errorf("%s's variables do not say which process of the job this is: %w", w.Launcher, e.err)
	}
	if w.Size == 1 {
		w.Master = ""
	}
	return w, nil
}

// env reads variables, and keeps the first error.
type env struct {
	lookup func(string) (string, bool)
	err    error
}

func (e *env) has(name string) bool { return e.text(name) != "" }

func (e *env) text(name string) string {
	s, _ := e.lookup(name)
	return strings.TrimSpace(s)
}

func (e *env) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

func (e *env) number(name string) int {
	n, err := strconv.Atoi(e.text(name))
	if err != nil {
		e.fail("%s is %q, want a number", name, e.text(name))
	}
	return n
}

func (e *env) numberOr(name string, other int) int {
	if !e.has(name) {
		return other
	}
	return e.number(name)
}

// port is the port of rank 0: MASTER_PORT, or the one that the launcher's way gives.
func (e *env) port(other int) int { return e.portOr("MASTER_PORT", other) }

func (e *env) portOr(name string, other int) int {
	n := e.numberOr(name, other)
	if n < 1 || n > 65535 {
		e.fail("%s is %d, want 1 to 65535", name, n)
	}
	return n
}

// portOf is a port that is the same in all processes of a job, and most often another in
// other jobs on the same host. It is below those that Linux gives to connections.
func portOf(job string) int {
	h := fnv.New32a()
	h.Write([]byte(job))
	return 20000 + int(h.Sum32()%10000)
}

// firstHost is the first host of a list as Slurm writes it: a[01-03,7]b,c is a01b first.
func firstHost(list string) string {
	depth := 0
	for i, c := range list {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			return firstHost(list[:i])
		}
	}
	before, rest, ok := strings.Cut(list, "[")
	if !ok {
		return list
	}
	numbers, after, _ := strings.Cut(rest, "]")
	first, _, _ := strings.Cut(numbers, ",")
	first, _, _ = strings.Cut(first, "-")
	return before + first + firstHost(after)
}

// tasksOf is the number of processes on a host by a list as Slurm writes it: 2(x3),1 is 2
// on each of the first three hosts, and 1 on the next; 0 where it does not say.
func tasksOf(list string, host int) int {
	for part := range strings.SplitSeq(list, ",") {
		count, times, repeated := strings.Cut(part, "(x")
		n, err := strconv.Atoi(count)
		if err != nil {
			return 0
		}
		hosts := 1
		if repeated {
			if hosts, err = strconv.Atoi(strings.TrimSuffix(times, ")")); err != nil {
				return 0
			}
		}
		if host < hosts {
			return n
		}
		host -= hosts
	}
	return 0
}
