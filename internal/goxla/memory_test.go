package goxla

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	xlapjrt "github.com/gomlx/go-xla/pjrt"

	"github.com/holt-dl/holt/internal/pjrt"
	"github.com/holt-dl/holt/internal/plugins"
)

// TestDeviceMemory reaches the handles that go-xla keeps to itself. XLA:CPU has
// no memory of its own to tell of, which it says when it is asked.
func TestDeviceMemory(t *testing.T) {
	if used, limit, ok := deviceMemory(nil, 0); ok {
		t.Errorf("no backend uses %d of %d", used, limit)
	}
	path, found := plugins.Find(plugins.SearchDirs(), "cpu")
	if !found {
		t.Skip("the XLA plugin for cpu is not here")
	}
	b, err := compute.NewWithConfig("xla:" + path)
	if err != nil {
		t.Skip(err)
	}
	defer b.Finalize()
	client := (*xlapjrt.Client)(pointer(b.(*xla.Backend), "client"))
	plugin := (*xlapjrt.Plugin)(pointer(b.(*xla.Backend), "plugin"))
	if client == nil || plugin == nil || pointer(plugin, "api") == nil || pointer(client.AddressableDevices()[0], "cDevice") == nil {
		t.Fatal("go-xla's fields have other names")
	}
	_, err = pjrt.MemoryOf(pointer(plugin, "api"), pointer(client.AddressableDevices()[0], "cDevice"))
	if used, limit, ok := deviceMemory(b, 0); ok != (err == nil && limit > 0) {
		t.Errorf("it uses %d of %d, %v, where PJRT says %v", used, limit, ok, err)
	}
	if _, _, ok := deviceMemory(b, 99); ok {
		t.Error("device 99 has memory")
	}
	if kind, ok := deviceKind(b, 0); kind != "cpu" || !ok {
		t.Errorf("the kind is %q, %v", kind, ok)
	}
	if kind, ok := deviceKind(b, 99); ok {
		t.Errorf("device 99 is of kind %q", kind)
	}
}
