package collective

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/launch"
)

// quick are times for tests that wait for them.
var quick = times{join: 2 * time.Second, beat: 100 * time.Millisecond, silent: 4 * time.Second, reason: 500 * time.Millisecond, late: 2 * time.Second, begun: 500 * time.Millisecond}

// worlds are the places of n processes in a job on a port of this host that is free.
func worlds(t *testing.T, n int) []launch.World {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var all []launch.World
	for rank := range n {
		all = append(all, launch.World{Rank: rank, Size: n, Master: l.Addr().String(), Job: t.Name()})
	}
	return all
}

// joinAll joins a job as each of its processes at once.
func joinAll(t *testing.T, ws []launch.World, limits times) ([]*Group, []error) {
	groups, errs := make([]*Group, len(ws)), make([]error, len(ws))
	var wg sync.WaitGroup
	for i, w := range ws {
		wg.Go(func() { groups[i], errs[i] = join(t.Context(), w, fmt.Sprint("note of ", w.Rank), limits) })
	}
	wg.Wait()
	t.Cleanup(func() {
		for _, g := range groups {
			if g != nil {
				g.Close()
			}
		}
	})
	return groups, errs
}

// joined are the groups of n processes.
func joined(t *testing.T, n int, limits times) []*Group {
	t.Helper()
	groups, errs := joinAll(t, worlds(t, n), limits)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return groups
}

func TestNotes(t *testing.T) {
	for rank, g := range joined(t, 3, usual) {
		if got := strings.Join(g.Notes(), ", "); got != "note of 0, note of 1, note of 2" {
			t.Errorf("rank %d has the notes %q", rank, got)
		}
	}
}

// each calls a function for each process at once.
func each(groups []*Group, f func(rank int, g *Group) error) []error {
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for rank, g := range groups {
		wg.Go(func() { errs[rank] = f(rank, g) })
	}
	wg.Wait()
	return errs
}

// TestAllReduce adds up arrays of all lengths, shorter than the ring too, and numbers.
func TestAllReduce(t *testing.T) {
	for n := 2; n <= 5; n++ {
		groups := joined(t, n, usual)
		for _, length := range []int{0, 1, 3, 1000, 100_003} {
			results := make([][]float32, n)
			for _, err := range each(groups, func(rank int, g *Group) error {
				x, y := make([]float32, length), []float32{1}
				for i := range x {
					x[i] = float32(math.Sin(float64(i*n + rank)))
				}
				sums, err := g.AllReduce(t.Context(), "test", []float64{float64(rank), math.Inf(1), math.NaN()}, x, y)
				results[rank] = x
				if err == nil && (sums[0] != float64(n*(n-1)/2) || !math.IsInf(sums[1], 1) || !math.IsNaN(sums[2]) || y[0] != float32(n)) {
					err = fmt.Errorf("sums %v, %v", sums, y)
				}
				return err
			}) {
				if err != nil {
					t.Fatalf("%d processes, %d numbers: %v", n, length, err)
				}
			}
			for i := range length {
				want := 0.0
				for rank := range n {
					want += math.Sin(float64(i*n + rank))
				}
				for rank := range n {
					if got := results[rank][i]; math.Abs(float64(got)-want) > 1e-6 || got != results[0][i] {
						t.Fatalf("%d processes, number %d of %d in rank %d: %v, want %v, and %v", n, i, length, rank, got, want, results[0][i])
					}
				}
			}
		}
	}
}

// TestAllGather brings arrays of all lengths together.
func TestAllGather(t *testing.T) {
	for n := 2; n <= 5; n++ {
		groups := joined(t, n, usual)
		for _, length := range []int{0, 1, 3, 1000, 100_003} {
			for rank, err := range each(groups, func(rank int, g *Group) error {
				x, y := make([]float32, length), make([]float32, n)
				from, to := Piece(length, rank, n)
				for i := from; i < to; i++ {
					x[i] = float32(i + 1)
				}
				y[rank] = float32(math.Inf(-1))
				if err := g.AllGather(t.Context(), "test", x, y); err != nil {
					return err
				}
				for i, v := range x {
					if v != float32(i+1) {
						return fmt.Errorf("number %d is %v", i, v)
					}
				}
				if slices.ContainsFunc(y, func(v float32) bool { return !math.IsInf(float64(v), -1) }) {
					return fmt.Errorf("the second array is %v", y)
				}
				return nil
			}) {
				if err != nil {
					t.Fatalf("%d processes, %d numbers, rank %d: %v", n, length, rank, err)
				}
			}
		}
	}
}

// TestReduceScatter adds up arrays of which each process gets its piece, and one that all get.
func TestReduceScatter(t *testing.T) {
	for n := 2; n <= 5; n++ {
		groups := joined(t, n, usual)
		for _, length := range []int{0, 1, 3, 1000, 100_003} {
			before := groups[0].Sent()
			for rank, err := range each(groups, func(rank int, g *Group) error {
				x, y, z := make([]float32, length), make([]float32, 2*n+1), []float32{1, float32(rank)}
				for i := range x {
					x[i] = float32(i*n + rank)
				}
				y[2*n] = 1
				sums, inPieces, err := g.ReduceScatter(t.Context(), "test", []float64{1}, false, [][]float32{x, y}, z)
				if err != nil || !inPieces {
					return fmt.Errorf("in pieces: %v, %w", inPieces, err)
				}
				from, to := Piece(length, rank, n)
				for i := from; i < to; i++ {
					if want := float32(i*n*n + n*(n-1)/2); math.Abs(float64(x[i]-want)) > 1e-6*float64(want) {
						return fmt.Errorf("number %d is %v, want %v", i, x[i], want)
					}
				}
				if rank == n-1 && y[2*n] != float32(n) {
					return fmt.Errorf("the second array's last sum is %v", y[2*n])
				}
				if sums[0] != float64(n) || z[0] != float32(n) || z[1] != float32(n*(n-1)/2) {
					return fmt.Errorf("sums are %v, and those that all get %v", sums, z)
				}
				return nil
			}) {
				if err != nil {
					t.Fatalf("%d processes, %d numbers, rank %d: %v", n, length, rank, err)
				}
			}
			// All but its own piece, once; of the array that all get, twice.
			scattered, most := 4*(length+2*n+1)*(n-1)/n, 4*(2*(n-1)+n)
			if sent := int(groups[0].Sent() - before); sent < scattered-most || sent > scattered+2*4*2+most {
				t.Errorf("%d processes, %d numbers: rank 0 has sent %d bytes, want about %d", n, length, sent, scattered)
			}
		}
	}
}

// TestReduceScatterAll has one process need all sums, which all get then.
func TestReduceScatterAll(t *testing.T) {
	groups := joined(t, 3, usual)
	for rank, err := range each(groups, func(rank int, g *Group) error {
		x, y := []float32{1, 2, 3, 4}, []float32{5}
		sums, inPieces, err := g.ReduceScatter(t.Context(), "test", []float64{1}, rank == 1, [][]float32{x}, y)
		if err == nil && (inPieces || !slices.Equal(x, []float32{3, 6, 9, 12}) || y[0] != 15 || !slices.Equal(sums, []float64{3})) {
			err = fmt.Errorf("in pieces: %v, sums are %v, %v, %v", inPieces, x, y, sums)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

// TestDifferent has one process do something else, or the same a step earlier.
func TestDifferent(t *testing.T) {
	groups := joined(t, 3, quick)
	for rank, err := range each(groups, func(rank int, g *Group) error {
		text := "weights [3 4]"
		if rank == 1 {
			text = "weights [3 5]"
		}
		_, err := g.AllReduce(t.Context(), text, nil, make([]float32, 12+rank%2*3))
		return err
	}) {
		want := "rank 1 does something else than the others: weights [3 5]; the others: weights [3 4]"
		if err == nil || err.Error() != want {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}

// TestFail has processes say that they cannot do their part: the others get the reason of the
// first, and the group goes on.
func TestFail(t *testing.T) {
	groups := joined(t, 4, usual)
	for round, failing := range [][]int{{2}, {0, 3}, {0, 1, 2, 3}, {}} {
		for rank, err := range each(groups, func(rank int, g *Group) error {
			if slices.Contains(failing, rank) {
				g.Fail(t.Context(), "full", fmt.Errorf("no memory in round %d", round))
				return nil
			}
			x := []float32{1}
			_, err := g.AllReduce(t.Context(), "x", []float64{1}, x)
			if want := float32(4); err == nil && x[0] != want || err != nil && x[0] != 1 {
				t.Errorf("rank %d has %v", rank, x)
			}
			return err
		}) {
			if slices.Contains(failing, rank) || len(failing) == 0 {
				if err != nil {
					t.Errorf("round %d, rank %d: %v", round, rank, err)
				}
				continue
			}
			var f *Failure
			want := fmt.Sprintf("rank %d could not do its part: no memory in round %d", failing[0], round)
			if !errors.As(err, &f) || f.Class != "full" || err.Error() != want {
				t.Errorf("round %d, rank %d: %v, want %s", round, rank, err, want)
			}
		}
	}
}

// TestFailAlone has a process fail when the others come to no exchange: it waits no longer than it is
// given, and they know it when they come to one.
func TestFailAlone(t *testing.T) {
	groups := joined(t, 3, quick)
	why := errors.New("no such file")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, why)
	defer cancel()
	groups[1].Fail(ctx, "", why)
	for _, rank := range []int{0, 2, 1} {
		_, err := groups[rank].AllReduce(t.Context(), "x", nil, []float32{1})
		want := "rank 1 has stopped: no such file"
		if err == nil || err.Error() != want && (rank != 1 || err.Error() != "no such file") {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}

// TestLongTexts does what needs more bytes than a message has: a description, a reason, and notes.
func TestLongTexts(t *testing.T) {
	ws := worlds(t, 3)
	long := strings.Repeat("é", line/3)
	groups, errs := make([]*Group, len(ws)), make([]error, len(ws))
	var wg sync.WaitGroup
	for i, w := range ws {
		wg.Go(func() { groups[i], errs[i] = join(t.Context(), w, fmt.Sprint(i, long), usual) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i, g := range groups {
		defer g.Close()
		for k, note := range g.Notes() {
			if note != fmt.Sprint(k, long) {
				t.Errorf("rank %d has a note of %d bytes of rank %d", i, len(note), k)
			}
		}
	}
	for rank, err := range each(groups, func(rank int, g *Group) error {
		_, err := g.AllReduce(t.Context(), long+long+long, nil, []float32{1})
		if err != nil {
			return err
		}
		if rank == 1 {
			g.Fail(t.Context(), "", errors.New(long+long+long))
			return nil
		}
		_, err = g.AllReduce(t.Context(), "x", nil, []float32{1})
		return err
	}) {
		if rank != 1 && (err == nil || !strings.HasPrefix(err.Error(), "rank 1 could not do its part: éé") || len(err.Error()) > 2*longest) {
			t.Errorf("rank %d: %.100v", rank, err)
		}
	}
	for rank, err := range each(groups, func(rank int, g *Group) error {
		_, err := g.AllReduce(t.Context(), long+long+fmt.Sprint(rank/2), nil, []float32{1})
		return err
	}) {
		if err == nil || !strings.HasPrefix(err.Error(), "rank 2 does something else than the others: é") {
			t.Errorf("rank %d: %.100v", rank, err)
		}
	}
	if _, err := join(t.Context(), worlds(t, 2)[0], strings.Repeat("x", line), quick); err == nil || !strings.Contains(err.Error(), "bytes is longer than 1048576") {
		t.Errorf("a note that no message has room for: %.100v", err)
	}
}

// TestLost ends a process in each of its states: it is said with its number, by all.
func TestLost(t *testing.T) {
	for _, lost := range []int{0, 2} {
		groups := joined(t, 4, quick)
		each(groups, func(rank int, g *Group) error {
			_, err := g.AllReduce(t.Context(), "first", nil, []float32{1})
			return err
		})
		for rank, err := range each(groups, func(rank int, g *Group) error {
			if rank == lost {
				time.Sleep(100 * time.Millisecond)
				g.Close()
				return nil
			}
			_, err := g.AllReduce(t.Context(), "second", nil, []float32{1})
			return err
		}) {
			want := fmt.Sprintf("rank %d is lost", lost)
			if rank != lost && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("rank %d: %v, want %s", rank, err, want)
			}
		}
	}
}

// TestSilent has a process hold still, as one does that was stopped or whose cable was cut.
func TestSilent(t *testing.T) {
	groups := joined(t, 3, quick)
	groups[1].main.mu.Lock() // neither signs of life nor anything else goes out
	defer groups[1].main.mu.Unlock()
	for _, rank := range []int{0, 2} {
		_, err := groups[rank].AllReduce(t.Context(), "x", nil, []float32{1})
		if want := "rank 1 is lost: it gave no sign of life for 4s"; err == nil || err.Error() != want {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}

// TestInterrupted stops one process in an exchange that the others come to: it is whole in all, and
// the group goes on.
func TestInterrupted(t *testing.T) {
	groups := joined(t, 3, quick)
	ctx, cancel := context.WithCancel(t.Context())
	const n = 1 << 20
	for rank, err := range each(groups, func(rank int, g *Group) error {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rank)
		}
		if rank == 2 {
			time.Sleep(200 * time.Millisecond) // the others have begun
			cancel()
			time.Sleep(100 * time.Millisecond)
		}
		for range 2 { // the second time with a context that has ended
			if _, err := g.AllReduce(ctx, "x", nil, x); err != nil {
				return err
			}
		}
		if x[0] != 9 || x[n-1] != 9 {
			return fmt.Errorf("sums are %v and %v, want 9", x[0], x[n-1])
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

// TestInterrupt stops one process while the others wait for it, and one of them does not come.
func TestInterrupt(t *testing.T) {
	groups := joined(t, 3, quick)
	ctx, cancel := context.WithCancelCause(t.Context())
	for rank, err := range each(groups, func(rank int, g *Group) error {
		switch rank {
		case 2:
			time.Sleep(200 * time.Millisecond)
			cancel(errors.New("interrupted"))
			return nil
		case 1:
			_, err := g.AllReduce(ctx, "x", nil, []float32{1})
			return err
		}
		_, err := g.AllReduce(t.Context(), "x", nil, []float32{1})
		return err
	}) {
		want := []string{"rank 1 has stopped: interrupted", "interrupted", "<nil>"}[rank]
		if fmt.Sprint(err) != want {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}

// TestJoinInterrupted stops rank 0 while it waits for the others, which it may do for long.
func TestJoinInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	limits := quick
	limits.join = time.Hour
	go func() {
		time.Sleep(100 * time.Millisecond)
		cancel(errors.New("interrupted"))
	}()
	_, err := join(ctx, worlds(t, 2)[0], "", limits)
	if err == nil || err.Error() != "rank 0 of 2: interrupted" {
		t.Errorf("error is %v", err)
	}
}

// TestJoinErrors joins jobs that cannot begin: each process that is there says why.
func TestJoinErrors(t *testing.T) {
	tests := []struct {
		name  string
		alter func(ws []launch.World) []launch.World
		want  string // in every error
	}{
		{"a missing rank", func(ws []launch.World) []launch.World { return append(ws[:1:1], ws[2:]...) }, "rank 1 of 4 has not come to rank 0 within 2s"},
		{"two missing", func(ws []launch.World) []launch.World { return ws[:2] }, "ranks 2, 3 of 4 have not come to rank 0 within 2s"},
		{"two of one rank", func(ws []launch.World) []launch.World { ws[3].Rank = 2; return ws }, "two processes have rank 2"},
		{"another size", func(ws []launch.World) []launch.World { ws[3].Size = 8; return ws }, "a process says that it is rank 3 of 8, and rank 0 was started as one of 4"},
		{"without rank 0", func(ws []launch.World) []launch.World { return ws[1:] }, "rank 0 is not reached at 127.0.0.1:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, errs := joinAll(t, test.alter(worlds(t, 4)), quick)
			for i, err := range errs {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("process %d: %v, want %s", i, err, test.want)
				}
			}
		})
	}
}

// TestWrongAddress has all but rank 0 look for it where it is not: at a name that is none, and at an
// address that leads nowhere.
func TestWrongAddress(t *testing.T) {
	for _, host := range []string{"no-such-host.invalid", "192.0.2.1", "300.1.1.1"} {
		ws := worlds(t, 3)
		_, port, err := net.SplitHostPort(ws[0].Master)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ws {
			ws[i].Master = net.JoinHostPort(host, port)
		}
		_, errs := joinAll(t, ws, quick)
		for rank, err := range errs {
			want := "rank 0 is not reached at " + ws[0].Master
			if rank == 0 {
				want = "ranks 1, 2 of 3 have not come to rank 0 within 2s"
			}
			if err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "rank 0 does not answer at "+ws[0].Master) {
				t.Errorf("%s, rank %d: %v, want %s", host, rank, err, want)
			}
		}
	}
}

// TestNoRoute has a process that others do not reach, as behind a wall between hosts: all say so soon,
// also where the job might have waited for long.
func TestNoRoute(t *testing.T) {
	limits := quick
	limits.join = time.Hour
	ws := worlds(t, 3)
	unreached := make(chan error, 1)
	go func() {
		unreached <- func() error {
			var c net.Conn
			for err := errors.New("not yet"); err != nil; {
				if c, err = net.Dial("tcp", ws[0].Master); err != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
			to := newConn(c)
			if err := to.send(message{Kind: hello, Rank: 1, Size: 3, Job: ws[0].Job, Addr: "127.0.0.1:1"}); err != nil {
				return err
			}
			for {
				m, err := to.receive(limits.silent)
				if err != nil || m.Kind == over {
					c.Close()
					return cmp.Or(err, errors.New(m.Text))
				}
			}
		}()
	}()
	_, errs := joinAll(t, []launch.World{ws[0], ws[2]}, limits)
	for i, err := range append(errs, <-unreached) {
		if err == nil || !strings.Contains(err.Error(), "rank 0 has stopped: the next process is not reached at 127.0.0.1:1: ") {
			t.Errorf("process %d: %v", i, err)
		}
	}
}

// TestJoinErrorSoon has a job that may wait for long end before all have come: rank 0 says so soon.
func TestJoinErrorSoon(t *testing.T) {
	limits := quick
	limits.join = time.Hour
	ws := worlds(t, 4)
	ws[2].Rank = 1
	_, errs := joinAll(t, ws[:3], limits) // and rank 3 never comes
	for i, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "two processes have rank 1") {
			t.Errorf("process %d: %v", i, err)
		}
	}
}

// TestPort joins where something else listens already: another job, or another program.
func TestPort(t *testing.T) {
	ws := worlds(t, 2)
	job := make(chan error, 1)
	go func() {
		_, err := join(t.Context(), ws[0], "", quick)
		job <- err
	}()
	other := ws[1]
	other.Job = "another"
	_, err := join(t.Context(), other, "", quick)
	if err == nil || !strings.Contains(err.Error(), "another job listens at") {
		t.Errorf("with the port of another job: %v", err)
	}
	if _, err := join(t.Context(), ws[0], "", quick); err == nil || !strings.Contains(err.Error(), "is in use; set MASTER_PORT to another for all processes") {
		t.Errorf("with a port in use: %v", err)
	}
	<-job
}

// TestStrangers connects to the port of rank 0 without being of the job, which goes on.
func TestStrangers(t *testing.T) {
	ws := worlds(t, 2)
	done := make(chan error, 1)
	go func() {
		g, err := join(t.Context(), ws[0], "", usual)
		if err == nil {
			_, err = g.AllReduce(t.Context(), "x", nil, []float32{1})
			g.Close()
		}
		done <- err
	}()
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "\n\n\n", `{"Kind":"about"}` + "\n", strings.Repeat("x", 2*line)} {
		for {
			c, err := net.Dial("tcp", ws[0].Master)
			if err == nil {
				c.Write([]byte(text))
				c.Close()
				break
			}
		}
	}
	g, err := join(t.Context(), ws[1], "", usual)
	if err == nil {
		_, err = g.AllReduce(t.Context(), "x", nil, []float32{1})
		defer g.Close()
	}
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
}

// TestEndsFirst has processes end as soon as they have the sums, also that of rank 0, while others
// still pass them on.
func TestEndsFirst(t *testing.T) {
	for range 20 {
		groups := joined(t, 4, usual)
		x := make([][]float32, len(groups))
		for rank, err := range each(groups, func(rank int, g *Group) error {
			x[rank] = make([]float32, 1<<18)
			x[rank][0] = 1
			defer g.Close()
			_, err := g.AllReduce(t.Context(), "sums", nil, x[rank])
			return err
		}) {
			if err != nil || x[rank][0] != 4 {
				t.Fatalf("rank %d: %v, %v", rank, x[rank][0], err)
			}
		}
	}
}
