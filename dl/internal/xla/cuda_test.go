package xla

import "testing"

// TestCUDAOptions has what go-xla is given for settings in text.
func TestCUDAOptions(t *testing.T) {
	for _, tt := range []struct {
		text, want string
	}{
		{"", ",tf32=false,preallocate=false"},
		{"tf32=true,memory_fraction=0.9", ",tf32=true,preallocate=false,memory_fraction=0.9"},
		{"preallocate=1, allocator=cuda_async,visible_devices=0;2", ",tf32=false,preallocate=true,allocator=cuda_async,visible_devices=0;2"},
		{"deterministic=true", ",tf32=false,preallocate=false"}, // a flag of XLA, and none of go-xla's options
	} {
		var c CUDA
		var err error
		if tt.text != "" {
			c, err = parseCUDA(tt.text)
		}
		if got, err := parseCUDA(c.String()); err != nil || got.String() != c.String() {
			t.Errorf("%v is read as %v, %v", c, got, err)
		}
		if got := c.options(); err != nil || got != tt.want {
			t.Errorf("%q is %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}
