package dl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestTables are the tables that a notebook shows in place of a text.
func TestTables(t *testing.T) {
	m := must(dl.Build(dl.Sequential{
		dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.ReLU{}}, dl.Flatten{}, dl.Linear{Out: 2},
	}, dl.Shape{1, 1, 6, 6}))
	m.Freeze("0.0")
	epoch := dl.Epoch{N: 1, Train: dl.Result{Loss: 0.5, Accuracy: 0.75}, LR: 0.1}
	tested := epoch
	tested.Eval = dl.Result{Loss: 0.25, Accuracy: 0.5, N: 8, Metrics: []dl.MetricValue{{Name: "top-2 accuracy", Value: 1}}}
	tests := []struct {
		name, want string
		of         interface {
			Table() (head []string, rows [][]any)
		}
	}{
		{"model", `[layer  output parameters]
[ Sequential [1_2] ]
[0 Sequential [1_4_4_4] ]
[___0 Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1)) [1_4_4_4] 40]
[___1 ReLU() [1_4_4_4] ]
[1 Flatten(start_dim=1, end_dim=-1) [1_64] ]
[2 Linear(in_features=64, out_features=2, bias=True) [1_2] 130]
`, m},
		{"result", "[loss accuracy examples]\n[0.5 75.00 % 1,234]\n", dl.Result{Loss: 0.5, Accuracy: 0.75, N: 1234}},
		{"epochs", "[epoch train loss (mean) train accuracy lr time]\n[1 0.5 75.00 % 0.1 0s]\n", dl.Epochs{epoch}},
		{"epochs with an evaluation", "[epoch train loss (mean) train accuracy eval loss eval accuracy top-2 accuracy lr time]\n" +
			"[1 0.5 75.00 % 0.25 50.00 % 1 0.1 0s]\n", dl.Epochs{tested}},
		{"devices", "[ device memory free ]\n[* cuda:0 16.0 GiB 2.0 GiB H200]\n[ cuda:1 16.0 GiB 0 B full]\n[ cuda:2 16.0 GiB  not known]\n[- cpu   no plugin]\n", dl.DeviceList{
			{Name: "cuda:0", Memory: 16 << 30, Free: 2 << 30, Usable: true, Current: true, Detail: "H200"},
			{Name: "cuda:1", Memory: 16 << 30, Usable: true, Detail: "full"}, {Name: "cuda:2", Memory: 16 << 30, Free: -1, Usable: true, Detail: "not known"}, {Name: "cpu", Detail: "no plugin", Free: -1}}},
	}
	for _, tt := range tests {
		head, rows := tt.of.Table()
		got := fmt.Sprintln(head)
		for _, row := range rows {
			got += fmt.Sprintln(row)
		}
		got = noBreak.Replace(got)
		if got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
	if got, want := m.Note(), "Input [1 1 6 6], 170 parameters, 130 not frozen"; got != want {
		t.Errorf("the note is %q, want %q", got, want)
	}
}

// noBreak makes spaces that do not break visible.
var noBreak = strings.NewReplacer("\u00a0", "_")
