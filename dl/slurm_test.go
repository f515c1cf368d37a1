package dl_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// TestSlurm trains in jobs of processes on two nodes, which Slurm's srun starts.
func TestSlurm(t *testing.T) {
	on(t, "cpu")
	dir := slurm(t)
	p := plan{Net: "tutorial"}
	one := p.train(t)
	for _, n := range []int{2, 4} {
		all := p.srun(t, dir, n)
		for rank, r := range all {
			if r.Err != "" || r.Weights != all[0].Weights {
				t.Errorf("%d processes, rank %d: %q, weights %s and %s", n, rank, r.Err, r.Weights, all[0].Weights)
			}
			near(t, fmt.Sprintf("losses of rank %d of %d", rank, n), r.Losses, one.Losses, 1e-6)
		}
	}
}

// srun starts a job of n processes, half of them on each node of a cluster, and returns what each
// says.
func (p plan) srun(t *testing.T, dir string, n int) []trained {
	t.Helper()
	// A cluster that is not well lets a job wait for ever.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "srun", "--nodes=2", "--ntasks="+strconv.Itoa(n))
	cmd.Env = append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "slurm.conf"))
	return p.under(t, n, cmd)
}

// slurmConf is a cluster of two nodes on one machine. Their names are addresses of the machine
// itself, since processes look for rank 0 at the name of the first node.
var slurmConf = template.Must(template.New("slurm.conf").Parse(`ClusterName=test
SlurmctldHost={{.Host}}(127.0.0.1)
SlurmctldPort={{index .Ports 0}}
SlurmUser={{.User}}
SlurmdUser={{.User}}
AuthType=auth/munge
AuthInfo=socket={{.Dir}}/munge.socket
StateSaveLocation={{.Dir}}/state
SlurmdSpoolDir={{.Dir}}/%n
SlurmctldPidFile={{.Dir}}/slurmctld.pid
SlurmdPidFile={{.Dir}}/%n.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SlurmdParameters=config_overrides
ReturnToService=2
FirstJobId={{.Job}}
NodeName=127.0.0.1 NodeHostname={{.Host}} NodeAddr=127.0.0.1 Port={{index .Ports 1}} CPUs=2 RealMemory=100
NodeName=127.0.0.2 NodeHostname={{.Host}} NodeAddr=127.0.0.1 Port={{index .Ports 2}} CPUs=2 RealMemory=100
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`))

// slurm starts a cluster of two nodes, which ends with the test, and returns the folder with its
// configuration and its logs. It skips the test where Slurm is not installed.
func slurm(t *testing.T) (dir string) {
	t.Helper()
	dir = must(os.MkdirTemp("", "slurm")) // t.TempDir's path may be too long for that of a socket
	t.Cleanup(func() {
		if t.Failed() {
			for _, log := range must(filepath.Glob(filepath.Join(dir, "*.log"))) {
				t.Logf("%s:\n%s", filepath.Base(log), must(os.ReadFile(log)))
			}
		}
		os.RemoveAll(dir)
	})
	host, _, _ := strings.Cut(must(os.Hostname()), ".")
	cluster := struct {
		Dir, Host, User string
		Ports           []int
		Job             int // the port of rank 0 comes from it, and is another one in each cluster
	}{dir, host, must(user.Current()).Username, freePorts(t, 3), 1 + os.Getpid()}
	var conf bytes.Buffer
	if err := slurmConf.Execute(&conf, cluster); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 1024)
	rand.Read(key)
	for name, data := range map[string][]byte{"slurm.conf": conf.Bytes(), "key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"state", "127.0.0.1", "127.0.0.2"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	daemon(t, dir, "munged", "munged", "--foreground", "--force", "--key-file="+dir+"/key", "--socket="+dir+"/munge.socket",
		"--pid-file="+dir+"/munged.pid", "--seed-file="+dir+"/seed", "--log-file="+dir+"/munged-own.log")
	waitFor(t, "unix", dir+"/munge.socket") // the others begin by asking it for a credential
	daemon(t, dir, "controller", "slurmctld", "-D")
	daemon(t, dir, "node1", "slurmd", "-D", "-N", "127.0.0.1")
	daemon(t, dir, "node2", "slurmd", "-D", "-N", "127.0.0.2")
	waitFor(t, "tcp", fmt.Sprint("127.0.0.1:", cluster.Ports[0]))
	return dir
}

// daemon starts a program of the cluster, which ends with the test. What it says is in name.log.
func daemon(t *testing.T, dir, name, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", program)) // not in every user's PATH
	}
	if err != nil {
		t.Skipf("skipped: Slurm's %s is not here", program)
	}
	log := must(os.Create(filepath.Join(dir, name+".log")))
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "slurm.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		late.Stop()
		log.Close()
	})
}

// waitFor waits until a program of the cluster listens.
func waitFor(t *testing.T, network, address string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// freePorts returns ports of this host at which no program listens.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // after all are found, so that no port comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
