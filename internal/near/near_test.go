package near_test

import (
	"slices"
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

func TestAll(t *testing.T) {
	got := near.All("Printn", []string{"Print", "Printf", "Println", "Sprint", "Fprintln"})
	if want := []string{"Print", "Printf", "Println"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := near.All("Rlu", []string{"ReLU", "Rlue"}); !slices.Equal(got, []string{"Rlue"}) {
		t.Errorf("got %q", got)
	}
}
