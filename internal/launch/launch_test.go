package launch

import (
	"strings"
	"testing"
	"time"
)

// TestFromEnv reads what launchers set: torchrun 2.11, Open MPI 4.1, SkyPilot 0.14 and Slurm 22.05.
func TestFromEnv(t *testing.T) {
	tests := []struct {
		name string
		vars string
		want World
	}{
		{"none", "HOME=/root", World{Size: 1, LocalSize: 1}},
		{"torchrun", "RANK=3 WORLD_SIZE=4 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 MASTER_ADDR=node1 MASTER_PORT=29400 TORCHELASTIC_RUN_ID=none",
			World{3, 4, 1, 2, "node1:29400", "torchrun none node1 29400", "torchrun", 0}},
		{"torchrun with its store", "RANK=3 WORLD_SIZE=4 MASTER_ADDR=node1 MASTER_PORT=29400 TORCHELASTIC_RUN_ID=none TORCHELASTIC_USE_AGENT_STORE=True",
			World{3, 4, 0, 0, "node1:24368", "torchrun none node1 29400", "torchrun", 0}},
		{"torchrun by hand", "RANK=0 WORLD_SIZE=2 MASTER_ADDR=::1",
			World{0, 2, 0, 0, "[::1]:29500", "torchrun  ::1 ", "torchrun", 0}},
		{"with a time to join", "RANK=0 WORLD_SIZE=2 MASTER_ADDR=a HOLT_JOIN_TIMEOUT=10m",
			World{0, 2, 0, 0, "a:29500", "torchrun  a ", "torchrun", 10 * time.Minute}},
		{"one process", "RANK=0 WORLD_SIZE=1 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=1",
			World{0, 1, 0, 1, "", "torchrun  localhost 1", "torchrun", 0}},
		{"mpirun", "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_NAMESPACE=3370319873",
			World{1, 2, 1, 2, "127.0.0.1:24713", "Open MPI 3370319873", "Open MPI", 0}},
		{"mpirun in an allocation", "SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4 " +
			"OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 MASTER_ADDR=n1 MASTER_PORT=5000",
			World{3, 4, 1, 2, "n1:5000", "Open MPI ", "Open MPI", 0}},
		{"srun", "SLURM_STEP_NUM_TASKS=5 SLURM_PROCID=4 SLURM_LOCALID=0 SLURM_NODEID=2 SLURM_STEP_TASKS_PER_NODE=2(x2),1 " +
			"SLURM_STEP_NODELIST=gpu[07-08,11] SLURM_JOB_ID=12 SLURM_STEP_ID=0 MASTER_PORT=6000",
			World{4, 5, 0, 1, "gpu07:6000", "Slurm 12.0", "Slurm", 0}},
		{"SkyPilot", "SKYPILOT_NODE_RANK=1 SKYPILOT_NUM_NODES=2 SKYPILOT_NODE_IPS=10.0.0.4\n10.0.0.5 SKYPILOT_TASK_ID=sky-1 MASTER_PORT=6000",
			World{1, 2, 0, 1, "10.0.0.4:6000", "SkyPilot sky-1", "SkyPilot", 0}},
		{"SkyPilot on Slurm, one host", "SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1 SKYPILOT_NODE_RANK=0 SKYPILOT_NUM_NODES=1 SKYPILOT_NODE_IPS=10.0.0.4 SKYPILOT_TASK_ID=sky-2",
			World{0, 1, 0, 1, "", "SkyPilot sky-2", "SkyPilot", 0}},
		{"torchrun in a task of SkyPilot", "SKYPILOT_NODE_RANK=1 SKYPILOT_NUM_NODES=2 RANK=9 WORLD_SIZE=16 MASTER_ADDR=a",
			World{9, 16, 0, 0, "a:29500", "torchrun  a ", "torchrun", 0}},
		{"TrainJob", "PET_NODE_RANK=1 PET_NNODES=2 PET_NPROC_PER_NODE=auto PET_MASTER_ADDR=job-node-0-0.job PET_MASTER_PORT=29400",
			World{1, 2, 0, 1, "job-node-0-0.job:29400", "Kubeflow Trainer job-node-0-0.job 29400", "Kubeflow Trainer", 0}},
		{"TrainJob of one pod", "PET_NODE_RANK=0 PET_NNODES=1 PET_NPROC_PER_NODE=8", World{0, 1, 0, 1, "", "Kubeflow Trainer  ", "Kubeflow Trainer", 0}},
		{"torchrun in a TrainJob", "PET_NODE_RANK=1 PET_NNODES=2 PET_MASTER_ADDR=a RANK=9 WORLD_SIZE=16 LOCAL_RANK=1 LOCAL_WORLD_SIZE=8 MASTER_ADDR=a",
			World{9, 16, 1, 8, "a:29500", "torchrun  a ", "torchrun", 0}},
		{"a batch script without srun", "SLURM_JOB_ID=12 SLURM_NTASKS=4 SLURM_PROCID=0", World{Size: 1, LocalSize: 1}},
	}
	for _, test := range tests {
		got, err := fromEnv(lookupIn(test.vars))
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
}

// lookupIn returns what finds variables in a text such as "A=1 B=2".
func lookupIn(vars string) func(string) (string, bool) {
	all := map[string]string{}
	for v := range strings.SplitSeq(vars, " ") {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return func(name string) (string, bool) { v, ok := all[name]; return v, ok }
}

func TestFromEnvErrors(t *testing.T) {
	tests := []struct{ vars, want string }{
		{"RANK=two WORLD_SIZE=4", `RANK is "two", want a number`},
		{"RANK=4 WORLD_SIZE=4 MASTER_ADDR=a", "the rank is 4 of 4 processes, want 0 to 3"},
		{"RANK=0 WORLD_SIZE=4", "WORLD_SIZE is 4 and MASTER_ADDR is not set, want the name or address of the host of rank 0"},
		{"RANK=0 WORLD_SIZE=4 MASTER_ADDR=a MASTER_PORT=70000", "MASTER_PORT is 70000, want 1 to 65535"},
		{"RANK=0 WORLD_SIZE=4 MASTER_ADDR=a HOLT_JOIN_TIMEOUT=10", `HOLT_JOIN_TIMEOUT is "10", want a time, such as 90s or 10m`},
		{"OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_SIZE=4", `OMPI_COMM_WORLD_RANK is "", want a number`},
		{"OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2", "want the host of rank 0: mpirun -x MASTER_ADDR=HOST …"},
		{"SKYPILOT_NODE_RANK=x SKYPILOT_NUM_NODES=2 SKYPILOT_NODE_IPS=a", `SkyPilot's variables do not say which process of the job this is: SKYPILOT_NODE_RANK is "x", want a number`},
		{"SKYPILOT_NODE_RANK=1 SKYPILOT_NUM_NODES=2", "SKYPILOT_NODE_IPS is empty, want the address of each host on a line"},
		{"PET_NODE_RANK=0 PET_NNODES=1:4 PET_MASTER_ADDR=a", `Kubeflow Trainer's variables do not say which process of the job this is: PET_NNODES is "1:4", want a number`},
		{"PET_NODE_RANK=0 PET_NNODES=2", "PET_NNODES is 2 and PET_MASTER_ADDR is not set, want the name or address of the host of rank 0"},
		{"PET_NODE_RANK=0 PET_NNODES=2 PET_MASTER_ADDR=a PET_MASTER_PORT=0", "PET_MASTER_PORT is 0, want 1 to 65535"},
		{"SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0", `SLURM_STEP_NODELIST is "" and names no host`},
	}
	for _, test := range tests {
		_, err := fromEnv(lookupIn(test.vars))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %q", test.vars, err, test.want)
		}
	}
}

func TestSlurmLists(t *testing.T) {
	for list, want := range map[string]string{
		"n1": "n1", "n1,n2": "n1", "a[1-3],b": "a1", "a[01,03-9]b": "a01b", "rack[2-3]node[10-12]": "rack2node10", "": "",
	} {
		if got := firstHost(list); got != want {
			t.Errorf("the first host of %q: %q, want %q", list, got, want)
		}
	}
	for _, test := range []struct {
		list       string
		host, want int
	}{{"2(x2),1", 0, 2}, {"2(x2),1", 1, 2}, {"2(x2),1", 2, 1}, {"2(x2),1", 3, 0}, {"4", 0, 4}, {"", 0, 0}, {"x", 0, 0}} {
		if got := tasksOf(test.list, test.host); got != test.want {
			t.Errorf("processes of host %d in %q: %d, want %d", test.host, test.list, got, test.want)
		}
	}
}
