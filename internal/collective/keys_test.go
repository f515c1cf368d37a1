package collective

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestDecide has rank 0 decide by what all say, twice.
func TestDecide(t *testing.T) {
	groups := joined(t, 3, usual)
	join := func(texts []string) string { return strings.Join(texts, ", ") }
	for _, word := range []string{"one", "two"} {
		for rank, err := range each(groups, func(rank int, g *Group) error {
			got, err := g.Decide(t.Context(), fmt.Sprint(word, " of ", rank), join)
			if want := fmt.Sprintf("%s of 0, %[1]s of 1, %[1]s of 2", word); err == nil && got != want {
				err = fmt.Errorf("%q, want %q", got, want)
			}
			return err
		}) {
			if err != nil {
				t.Errorf("rank %d: %v", rank, err)
			}
		}
	}
	groups[2].Leave(errors.New("enough"))
	for _, g := range groups[:2] {
		if _, err := g.Decide(t.Context(), "", join); err == nil || err.Error() != "rank 2 has stopped: enough" {
			t.Errorf("with one that has left: %v", err)
		}
	}
}

// TestKeys has each process put a key, and get those of all, which others put later.
func TestKeys(t *testing.T) {
	groups := joined(t, 3, usual)
	for rank, err := range each(groups, func(rank int, g *Group) error {
		if _, found, err := g.TryGet(t.Context(), "none"); found || err != nil {
			return fmt.Errorf("an absent key is found: %v, %v", found, err)
		}
		time.Sleep(time.Duration(rank) * 50 * time.Millisecond)
		// Keys and values are bytes of any kind.
		if err := g.Put(fmt.Sprintf("\xff%d", rank), []byte{byte(rank), 0, '\n', 0xfe}); err != nil {
			return err
		}
		for other := range groups {
			v, err := g.Get(t.Context(), fmt.Sprintf("\xff%d", other))
			if want := []byte{byte(other), 0, '\n', 0xfe}; err != nil || !bytes.Equal(v, want) {
				return fmt.Errorf("key of %d: %v, %v", other, v, err)
			}
		}
		if v, found, err := g.TryGet(t.Context(), "\xff2"); !found || err != nil || v[0] != 2 {
			return fmt.Errorf("key of 2 at once: %v, %v, %v", v, found, err)
		}
		// What a process puts again takes the old value's place, also where it is empty.
		if err := g.Put(fmt.Sprint("again ", rank), []byte("old")); err != nil {
			return err
		}
		if err := g.Put(fmt.Sprint("again ", rank), nil); err != nil {
			return err
		}
		if v, err := g.Get(t.Context(), fmt.Sprint("again ", rank)); err != nil || len(v) != 0 {
			return fmt.Errorf("a key that was put again: %v, %v", v, err)
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	if err := groups[1].Put("large", make([]byte, largest-5)); err != nil {
		t.Error(err)
	}
	err := groups[1].Put("large", make([]byte, largest))
	if want := `key "large": it and its value are 524293 bytes, want at most 524288`; err == nil || err.Error() != want {
		t.Errorf("a value that no message has room for: %v, want %s", err, want)
	}
	if v, err := groups[2].Get(t.Context(), "large"); err != nil || len(v) != largest-5 {
		t.Errorf("a large value is of %d bytes: %v", len(v), err)
	}
	for rank, err := range each(groups, func(rank int, g *Group) error {
		_, err := g.AllReduce(t.Context(), "x", nil, []float32{1})
		return err
	}) {
		if err != nil {
			t.Errorf("rank %d adds up no more: %v", rank, err)
		}
	}
	groups[0].Close()
	if _, err := groups[1].Get(t.Context(), "none"); err == nil || !strings.HasPrefix(err.Error(), `key "none": rank 0 is lost: `) {
		t.Errorf("rank 0 has ended: %v", err)
	}
	groups[1].Close()
	if err := groups[1].Put("x", nil); err == nil || !strings.HasPrefix(err.Error(), `key "x": rank 0 is lost: `) {
		t.Errorf("the group has ended: %v", err)
	}
}

// TestKeyLimit waits for a key that no process puts: the group goes on, also where a process ends
// later.
func TestKeyLimit(t *testing.T) {
	groups := joined(t, 2, quick)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := groups[0].Get(ctx, "none")
	if want := `key "none": context deadline exceeded`; !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	groups[1].Put("last", []byte("x"))
	if _, err := groups[0].Get(t.Context(), "last"); err != nil {
		t.Error(err)
	}
	groups[1].Close()
	time.Sleep(100 * time.Millisecond)
	if v, err := groups[0].Get(t.Context(), "last"); err != nil || string(v) != "x" {
		t.Errorf("a key of a process that has come to its end: %q, %v", v, err)
	}
}

// TestKeyLost ends, stops or interrupts a process while others wait for its key, and before: they
// say its number.
func TestKeyLost(t *testing.T) {
	for _, tt := range []struct {
		what, want string
		end        func(g *Group)
	}{
		{"ends", "rank 2 is lost: its process has ended", func(g *Group) { g.Close() }},
		{"leaves", "rank 2 has stopped: no GPU is here", func(g *Group) { g.Leave(errors.New("no GPU is here")) }},
		{"is silent", "rank 2 is lost: it gave no sign of life for 4s", func(g *Group) { g.main.mu.Lock() }},
	} {
		for _, wait := range []time.Duration{0, 200 * time.Millisecond} {
			groups := joined(t, 3, quick)
			for rank, err := range each(groups, func(rank int, g *Group) error {
				if rank == 2 {
					time.Sleep(200*time.Millisecond - wait)
					tt.end(g)
					return nil
				}
				time.Sleep(wait)
				_, err := g.Get(t.Context(), "of 2")
				return err
			}) {
				if want := fmt.Sprintf("key %q: %s", "of 2", tt.want); rank != 2 && (err == nil || err.Error() != want) {
					t.Errorf("it %s after %v: rank %d: %v, want %s", tt.what, 200*time.Millisecond-wait, rank, err, want)
				}
			}
			if tt.what == "is silent" {
				groups[2].main.mu.Unlock()
				break // once: it takes some seconds
			}
		}
	}
}

// TestAwait has processes need each other for something else: none goes on before all have done it,
// and each may end then.
func TestAwait(t *testing.T) {
	groups := joined(t, 3, quick)
	var done atomic.Int32
	for rank, err := range each(groups, func(rank int, g *Group) error {
		for k := range 20 {
			err := g.Await(t.Context(), fmt.Sprint("part ", k), func(context.Context) error {
				time.Sleep(time.Duration(rank) * time.Millisecond)
				done.Add(1)
				return nil
			})
			if n := int(done.Load()); err != nil || n < 3*(k+1) {
				return fmt.Errorf("%d have done part %d: %v", n, k, err)
			}
		}
		if rank == 1 {
			g.Close()
			return nil
		}
		time.Sleep(100 * time.Millisecond)
		err := g.Await(t.Context(), "more", func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) })
		if want := "rank 1 is lost: its process has ended"; err == nil || err.Error() != want {
			return fmt.Errorf("rank 1 is not there: %v, want %s", err, want)
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	groups = joined(t, 2, quick)
	for rank, err := range each(groups, func(rank int, g *Group) error {
		return g.Await(t.Context(), fmt.Sprint("program ", rank), func(context.Context) error { return nil })
	}) {
		if want := "rank 1 does something else than the others: program 1; the others: program 0"; err == nil || err.Error() != want {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}

// TestAwaitFailure has one process fail in what all await, and one end in it.
func TestAwaitFailure(t *testing.T) {
	for _, ends := range []bool{true, false} {
		groups := joined(t, 3, quick)
		errs := each(groups, func(rank int, g *Group) error {
			return g.Await(t.Context(), "x", func(ctx context.Context) error {
				switch {
				case rank == 1 && ends:
					time.Sleep(100 * time.Millisecond)
					g.Close()
					return nil
				case rank == 1:
					return errors.New("out of memory")
				}
				<-ctx.Done()
				return context.Cause(ctx)
			})
		})
		want := []string{"rank 1 has stopped: out of memory", "out of memory", "rank 1 has stopped: out of memory"}
		if ends {
			want = []string{"rank 1 is lost: its process has ended", "the group was closed", "rank 1 is lost: its process has ended"}
		}
		var got []string
		for _, err := range errs {
			got = append(got, fmt.Sprint(err))
		}
		if !slices.Equal(got, want) {
			t.Errorf("ends %v: %q, want %q", ends, got, want)
		}
	}
}
