package session

import "testing"

func TestRefused(t *testing.T) {
	tests := []struct{ why, want string }{
		{`plugin.Open("/tmp/c7.so"): plugin was built with a different version of package internal/abi`,
			"it was built with another version of internal/abi than the cell: Go or a module was changed while the kernel ran; " +
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help"},
		{`plugin.Open("/tmp/c7.so"): /tmp/c7.so: undefined symbol: type:*dl.Model`,
			"it was built with another version of type:*dl.Model than the cell: Go or a module was changed while the kernel ran; " +
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help"},
		{"plugin.Open: no such file", "plugin.Open: no such file"},
	}
	for _, tt := range tests {
		if got := refused(tt.why).Error(); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}
