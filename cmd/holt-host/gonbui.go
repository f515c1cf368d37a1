package main

import (
	"sync"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// listenForever keeps gonbui/comms from a deadlock. Its dispatcher (v0.11.5)
// returns with its lock held when a value comes for an address to which there is
// no listener any more. GoNB's programs end with their cell; here every widget would
// be dead from then on. A listener of our own, which stays, is always there.
func listenForever() {
	dispatch := gonbui.OnCommValueUpdate
	var known sync.Map // addresses
	gonbui.OnCommValueUpdate = func(v *protocol.CommValue) {
		if _, ok := known.LoadOrStore(v.Address, true); !ok {
			subscribe(v.Address, v.Value)
		}
		dispatch(v)
	}
}

// subscribe listens with the type of the first value, as comms complains of
// values that it cannot convert.
func subscribe(address string, value any) {
	switch value.(type) {
	case string:
		comms.Subscribe(address, func(string, string) {})
	case []string:
		comms.Subscribe(address, func(string, []string) {})
	case []float64:
		comms.Subscribe(address, func(string, []float64) {})
	case map[string]string:
		comms.Subscribe(address, func(string, map[string]string) {})
	case map[string]float64:
		comms.Subscribe(address, func(string, map[string]float64) {})
	default:
		comms.Subscribe(address, func(string, float64) {})
	}
}
