package frame

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
)

// record connects a sink for one test and returns what it receives.
func record(t *testing.T) *[]Message {
	var got []Message
	SetSink(func(m Message) error { got = append(got, m); return nil })
	t.Cleanup(func() { SetSink(nil) })
	return &got
}

func ExampleText() {
	Display(Text("an otter")) // no kernel here, so the text is printed
	// Output: an otter
}

func TestKinds(t *testing.T) {
	got := record(t)
	b := Bundle{Data: map[string]any{"text/plain": "x"}, DisplayID: "id"}
	Display(b)
	Update(b)
	Result(b)
	Clear(true)
	want := []Message{
		{Kind: KindDisplay, Bundle: &b},
		{Kind: KindUpdate, Bundle: &b},
		{Kind: KindResult, Bundle: &b},
		{Kind: KindClear, Wait: true},
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %v\nwant %v", *got, want)
	}
}

func TestSinkError(t *testing.T) {
	broken := errors.New("broken pipe")
	SetSink(func(Message) error { return broken })
	t.Cleanup(func() { SetSink(nil) })
	if err := Display(Text("x")); !errors.Is(err, broken) {
		t.Errorf("Display returned %v, want the sink's error", err)
	}
	if !Connected() {
		t.Error("Connected is false with a sink")
	}
}

func TestPNG(t *testing.T) {
	b := PNG([]byte("\x89PNG"), 30, 20, "a   picture\nof an otter")
	raw, err := base64.StdEncoding.DecodeString(b.Data["image/png"].(string))
	if err != nil || string(raw) != "\x89PNG" {
		t.Errorf("image/png is %v (%v)", b.Data["image/png"], err)
	}
	if got := fmt.Sprint(b.Metadata["image/png"]); got != "map[alt:a picture; of an otter height:20 width:30]" {
		t.Errorf("metadata is %s", got)
	}
	if b.Data["text/plain"] != "a   picture\nof an otter" {
		t.Errorf("text/plain is %v", b.Data["text/plain"])
	}
}

func TestFlush(t *testing.T) {
	var order []string
	add := func(name string) func() {
		return OnFlush(func() { order = append(order, name) })
	}
	removeA := add("a")
	removeB := add("b")
	if n := Pending(); n != 2 {
		t.Errorf("%d displays are pending, want 2", n)
	}
	var removeC func()
	removeC = OnFlush(func() { order = append(order, "c"); removeC() }) // may take itself off
	Flush()
	removeA()
	removeA() // twice is harmless
	Flush()
	removeB()
	Flush()
	if got := fmt.Sprint(order); got != "[a b c b]" {
		t.Errorf("flushed %s, want [a b c b]", got)
	}
	if n := Pending(); n != 0 {
		t.Errorf("%d displays are pending after all were removed, want 0", n)
	}
}

func TestGoroutines(t *testing.T) {
	var mu sync.Mutex
	count := 0
	SetSink(func(Message) error { mu.Lock(); count++; mu.Unlock(); return nil })
	t.Cleanup(func() { SetSink(nil) })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				remove := OnFlush(func() {})
				Update(Text("x"))
				Flush()
				remove()
			}
		})
	}
	wg.Wait()
	if count != 400 {
		t.Errorf("the sink received %d messages, want 400", count)
	}
}
