//go:build cgo && linux

package nccl

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/fakenccl"
	"github.com/holt-dl/holt/internal/launch"
)

// processEnv makes the test program a process of a job with so many GPUs.
const processEnv = "HOLT_TEST_NCCL_GPUS"

// TestGroup adds up in jobs of processes by NCCL's functions and by the ring.
func TestGroup(t *testing.T) {
	if n, err := strconv.Atoi(os.Getenv(processEnv)); err == nil {
		fmt.Println("said", process(t.Context(), n))
		return
	}
	env := fakenccl.Build(t)
	for _, tt := range []struct{ processes, gpus int }{{1, 1}, {2, 1}, {4, 1}, {2, 3}} {
		t.Run(fmt.Sprintf("%d processes of %d GPUs", tt.processes, tt.gpus), func(t *testing.T) {
			for rank, got := range start(t, tt.processes, tt.gpus, env, nil) {
				if want := "the sums of the ring"; got != want {
					t.Errorf("rank %d says %q, want %q", rank, got, want)
				}
			}
		})
	}
	// The call after the one that joins.
	for _, tt := range []struct{ env, want string }{
		{"FAKE_NCCL_DIES=1", "rank 1 is lost: its process has ended"},
		{"FAKE_NCCL_DIES=0", "rank 1 is lost: its process has ended"},
		{"FAKE_NCCL_FAILS=1", "rank 1 has stopped: nccl: add up: unhandled cuda error"},
	} {
		t.Run(tt.env, func(t *testing.T) {
			begin := time.Now()
			got := start(t, 3, 1, env, []string{tt.env})
			for _, rank := range []int{0, 2} {
				if got[rank] != tt.want {
					t.Errorf("rank %d says %q, want %q", rank, got[rank], tt.want)
				}
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("that takes %v", took)
			}
		})
	}
}

// TestOpen names what is missing.
func TestOpen(t *testing.T) {
	if os.Getenv(processEnv) == "open" {
		l, err := Open(Beside("/nowhere/plugin.so"))
		if err == nil {
			fmt.Println("said", l.Version())
		} else {
			fmt.Println("said", err)
		}
		return
	}
	env := fakenccl.Build(t)
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{nil, "nccl: libnccl.so.2 is not installed, which holt backend install cuda brings"},
		{env, "2.27.3"},
		{append(env, "FAKE_NCCL_VERSION=21003"), "nccl: NCCL is 2.10.3, want 2.14.0 or newer"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOpen$")
		cmd.Env = append(append(os.Environ(), processEnv+"=open"), tt.env...)
		out, err := cmd.CombinedOutput()
		if _, got, _ := strings.Cut(string(out), "said "); err != nil || !strings.HasPrefix(got, tt.want+"\n") {
			t.Errorf("%v: %s, want %s", err, out, tt.want)
		}
	}
}

// start starts a job, of which rank 1 has more variables, and returns what each process says.
func start(t *testing.T, processes, gpus int, env, ofRank1 []string) []string {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	said := make([]string, processes)
	var wg sync.WaitGroup
	for rank := range said {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGroup$", "-test.timeout=60s")
			cmd.Env = append(append(os.Environ(), env...), processEnv+"="+strconv.Itoa(gpus), "RANK="+strconv.Itoa(rank),
				"WORLD_SIZE="+strconv.Itoa(processes), "LOCAL_RANK="+strconv.Itoa(rank), "LOCAL_WORLD_SIZE="+strconv.Itoa(processes),
				"MASTER_ADDR=127.0.0.1", "MASTER_PORT="+strconv.Itoa(port))
			if rank == 1 {
				cmd.Env = append(cmd.Env, ofRank1...)
			}
			out, err := cmd.CombinedOutput()
			_, text, ok := strings.Cut(string(out), "said ")
			if said[rank], _, _ = strings.Cut(text, "\n"); !ok && (rank != 1 || err == nil) {
				t.Errorf("rank %d: %v\n%s", rank, err, out)
			}
		})
	}
	wg.Wait()
	return said
}

// process is what a process of the job does, and says.
func process(ctx context.Context, gpus int) string {
	if err := compare(ctx, gpus); err != nil {
		return err.Error()
	}
	return "the sums of the ring"
}

func compare(ctx context.Context, gpus int) error {
	w, err := launch.FromEnv()
	if err != nil {
		return err
	}
	l, err := Open(nil)
	if err != nil {
		return err
	}
	if w.Size == 1 { // there is no group of one
		w.Master = "127.0.0.1:0"
	}
	ring, err := collective.Join(ctx, w, "")
	if err != nil {
		return err
	}
	defer ring.Close()
	ids := make([]ID, gpus)
	if w.Rank == 0 {
		for i := range ids {
			if ids[i], err = l.NewID(); err != nil {
				return err
			}
		}
		text, err := json.Marshal(ids)
		if err == nil {
			err = ring.Put("ids", text)
		}
		if err != nil {
			return err
		}
	}
	text, err := ring.Get(ctx, "ids")
	if err == nil {
		err = json.Unmarshal(text, &ids)
	}
	if err != nil {
		return err
	}
	numbers := make([]int, gpus)
	for i := range numbers {
		numbers[i] = gpus*w.LocalRank + i
	}
	var g *Group
	err = ring.Await(ctx, "join", func(ctx context.Context) (err error) {
		g, err = l.Join(ctx, Place{w.Rank, w.Size}, numbers, ids)
		return err
	})
	if err != nil {
		return err
	}
	defer g.Close()
	each := func(k, n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32((i*7+13*k+31*w.Rank)%97) - 40 // sums are exact, in any order
		}
		return x
	}
	// Lengths that the processes divide evenly and do not, one for more than a chunk, and few numbers.
	lengths := []int{12, 7, 10007, 1, 0, 65536}
	same := func(what string, got, want []float32) error {
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s of %d numbers: they differ from the ring's", what, len(got))
		}
		return nil
	}
	put := func(gpu int, x []float32) unsafe.Pointer {
		at, e := g.Put(ctx, gpu, x)
		err = cmp.Or(err, e)
		return at
	}
	take := func(a Array, gpu int) []float32 {
		x := make([]float32, a.N)
		err = cmp.Or(err, g.Read(ctx, gpu, a.At[gpu], x))
		return x
	}
	var whole, own []Array
	var sums [][]float32
	for k, n := range lengths {
		a, b := Array{N: n, Same: true}, Array{N: n}
		for d := range gpus {
			a.At, b.At = append(a.At, put(d, each(k, n))), append(b.At, put(d, each(k+d, n)))
		}
		whole, own = append(whole, a), append(own, b)
		sums = append(sums, each(k, n))
	}
	released := 0
	do := func(what string, f func(context.Context, func(), ...Array) error, arrays ...Array) error {
		return ring.Await(ctx, what, func(ctx context.Context) error { return f(ctx, func() { released++ }, arrays...) })
	}
	if err := do("sums", g.AllReduce, append(whole, own...)...); err != nil {
		return err
	}
	if _, err := ring.AllReduce(ctx, "sums", nil, sums...); err != nil {
		return err
	}
	for k, n := range lengths {
		for d := range gpus {
			part := each(k+d, n)
			if _, err := ring.AllReduce(ctx, "sums", nil, part); err != nil {
				return err
			}
			if err := same("sums", take(whole[k], d), sums[k]); err != nil {
				return err
			}
			if err := same("sums of parts", take(own[k], d), part); err != nil {
				return err
			}
		}
	}
	var pieces []Array
	for k, n := range lengths {
		pieces = append(pieces, Array{At: []unsafe.Pointer{put(0, each(k, n))}, N: n})
	}
	if gpus > 1 {
		want := fmt.Sprintf("nccl: pieces of processes with %d GPUs each, want one", gpus)
		for _, f := range []func(context.Context, func(), ...Array) error{g.ReduceScatter, g.AllGather} {
			if err := f(ctx, func() { released++ }, pieces...); err == nil || err.Error() != want {
				return fmt.Errorf("pieces: %v", err)
			}
		}
		return nil
	}
	if err := do("pieces", g.ReduceScatter, pieces...); err != nil {
		return err
	}
	for k, n := range lengths {
		from, to := collective.Piece(n, w.Rank, w.Size)
		if err := same("pieces", take(pieces[k], 0)[from:to], sums[k][from:to]); err != nil {
			return err
		}
	}
	if err := do("all", g.AllGather, pieces...); err != nil {
		return err
	}
	for k := range lengths {
		if err := same("all", take(pieces[k], 0), sums[k]); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if released != 3 {
		return fmt.Errorf("arrays were released %d times, want 3", released)
	}
	g.Close()
	<-g.over
	if err := g.AllReduce(ctx, func() { released++ }, pieces...); err != errClosed || released != 4 {
		return fmt.Errorf("a group that was closed says %v, and releases arrays %d times", err, released)
	}
	return nil
}
