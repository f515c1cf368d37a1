package models_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "image/jpeg"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/dl/vision/fetch"
	"github.com/holt-dl/holt/dl/vision/imagenet"
	"github.com/holt-dl/holt/dl/vision/models"
	"github.com/holt-dl/holt/internal/hooks"
)

// frozenBy reports whether a parameter is in one of the paths.
func frozenBy(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return strings.HasPrefix(name, path+".") })
}

// antsAndBees brings the pictures of the transfer-learning chapter from a server on
// this machine, or skips.
func antsAndBees(t *testing.T) string {
	t.Helper()
	const file = "../../../../shared/data/hymenoptera_data.zip"
	body, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("skipped: the pictures of ants and bees are not here: %v", err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }))
	defer s.Close()
	sum := sha256.Sum256(body) // the file was zipped again by somebody, so it is not the publisher's
	a := hooks.Archive{URL: s.URL + "/hymenoptera_data.zip", SHA256: hex.EncodeToString(sum[:]), Folder: "hymenoptera_data"}
	root := t.TempDir()
	if err := fetch.Archive(t.Context(), a, root, nil); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestTransferLearning is the chapter: a network that was trained before gets
// a new last layer for ants and bees, and its features stay as they are. The
// network is VGG16 in shape with an eighth of its channels, and its weights
// are random; with the published file present it is VGG16 itself.
func TestTransferLearning(t *testing.T) {
	root := antsAndBees(t)
	onXLA(t)
	side, epochs, least, frozen := 64, 3, 0.0, []string{"features"}
	dl.Seed(3)
	var net dl.Layer = models.Narrow(256, 8, 1000)
	path := filepath.Join(t.TempDir(), "vgg.safetensors")
	published, err := models.VGG16Weights.Path()
	if _, e := os.Stat(published); err == nil && e == nil {
		t.Logf("with the weights in %s", published)
		net, path, side, epochs, least = models.VGG16(1000), published, 224, 1, 0.85
		frozen = append(frozen, "classifier.0", "classifier.3") // 119 million values take too long
	} else {
		trained := must(dl.Build(net, dl.Shape{16, 3, side, side}))
		if err := trained.LoadStateDict(patterned(trained)); err != nil {
			t.Fatal(err)
		}
		if err := trained.Save(path); err != nil {
			t.Fatal(err)
		}
	}

	t.Setenv("HOLT_DATA", "")
	prepare := imagenet.Transform(side*256/224, side)
	train := must(vision.Hymenoptera{Root: root, Train: true, Transform: prepare}.Open())
	val := must(vision.Hymenoptera{Root: root, Transform: prepare}.Open())
	if !slices.Equal(train.Classes, []string{"ants", "bees"}) || train.Len() != 244 || val.Len() != 153 {
		t.Fatalf("%d pictures to train on and %d to test, of %v, want 244, 153, ants and bees", train.Len(), val.Len(), train.Classes)
	}
	m := must(dl.Build(net, dl.Shape{16, 3, side, side}))
	if err := models.Load(m, path); err != nil {
		t.Fatal(err)
	}
	if err := m.Replace("classifier.6", dl.Linear{Out: len(train.Classes)}); err != nil {
		t.Fatal(err)
	}
	m.Freeze(frozen...)
	before, learn := m.StateDict(), 0
	for name, p := range before {
		if !frozenBy(name, frozen) {
			learn += p.Size()
		}
	}
	if m.NumTrainable() != learn {
		t.Errorf("%d values learn, want %d", m.NumTrainable(), learn)
	}
	run := dl.Start(m, dl.Training{
		Data: &dl.DataLoader{Dataset: train, BatchSize: 16, Shuffle: true, Seed: 1}, Eval: &dl.DataLoader{Dataset: val, BatchSize: 16},
		Epochs: epochs, Optimizer: dl.SGD{LR: 0.0002, Momentum: 0.9},
	})
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	for name, now := range m.StateDict() {
		same := slices.Equal(now.Float32s(), before[name].Float32s())
		if same != frozenBy(name, frozen) {
			t.Errorf("%s: it is the same as before: %v, want %v", name, same, !same)
		}
	}
	e := run.Epochs()
	first, last := e[0], e[len(e)-1]
	for _, epoch := range e {
		t.Log(epoch)
	}
	if epochs > 1 && last.Train.Loss >= first.Train.Loss {
		t.Errorf("the loss went from %v to %v", first.Train.Loss, last.Train.Loss)
	}
	if last.Eval.Accuracy < least {
		t.Errorf("the accuracy is %v, want %v", last.Eval.Accuracy, least)
	}
}
