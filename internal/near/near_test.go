package near_test

import (
	"testing"

	"github.com/holt-dl/holt/internal/near"
)

func TestTo(t *testing.T) {
	for _, tt := range []struct {
		s     string
		names []string
		want  string
	}{
		{"features", []string{"feature", "classifier"}, "feature"},
		{"Conv1", []string{"conv1", "conv2"}, "conv1"},
		{"FC", []string{"fc", "conv"}, "fc"},
		{"state_dict", []string{"State", "StateDict"}, "StateDict"},
		{"batch_size", []string{"BatchSizes", "BatchSize"}, "BatchSize"},
		{"lenght", []string{"length", "depth"}, "length"}, // letters that changed places are one mistake
		{"xs", []string{"ys"}, ""},                        // too short to tell
		{"same", []string{"same"}, ""},
		{"conv", []string{"linear"}, ""},
		{"größe", []string{"große"}, "große"},
	} {
		if got := near.To(tt.s, tt.names); got != tt.want {
			t.Errorf("To(%q, %q) = %q, want %q", tt.s, tt.names, got, tt.want)
		}
	}
}
