package session_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/machine/tensorboard/tensorboardtest"
)

// TestTensorBoard: it is started once in the notebook's folder, and ends with the session.
func TestTensorBoard(t *testing.T) {
	infos := filepath.Join(tensorboardtest.Use(t), ".tensorboard-info", "pid-*.info")
	dir := t.TempDir()
	n := open(t, dir, nil)
	n.must("%tensorboard --logdir runs", `^holt: there is no folder `+regexp.QuoteMeta(filepath.Join(dir, "runs"))+` yet; TensorBoard shows it once something is logged there$`)
	if err := os.Mkdir(filepath.Join(dir, "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, f := n.run(context.Background(), "%tensorboard --logdir="+filepath.Join(dir, "runs")); f != nil || out != "" {
		t.Errorf("again, it says %q, %v", out, f)
	}
	n.fails("%tensorboard --logdir runs/fail", "^Error: %tensorboard: TensorBoard ended before it served .exit status 255.; it said:$", "^ERROR: TensorBoard could not bind")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Second, cancel)
	if out, f := n.run(ctx, "%tensorboard --logdir runs/hang"); f == nil || f.Name != "Interrupted" {
		t.Errorf("got %s, want it interrupted", out)
	}
	if files, err := filepath.Glob(infos); len(files) != 1 {
		t.Errorf("%q serve, %v, want one", files, err)
	}
	n.s.Close()
	if files, err := filepath.Glob(infos); len(files) != 0 {
		t.Errorf("%q outlive the session, %v", files, err)
	}
}
