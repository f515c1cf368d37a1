package fetch_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision/fetch"
)

func TestWeights(t *testing.T) {
	const text = "weights"
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Write([]byte(text))
	}))
	defer server.Close()
	sum := sha256.Sum256([]byte(text))
	digits := hex.EncodeToString(sum[:])[:8]
	path := filepath.Join(t.TempDir(), "hub", "checkpoints", "net-"+digits+".pth")
	for range 2 { // the second time it is there
		if err := fetch.Weights(context.Background(), server.URL, path, digits); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); string(b) != text || asked != 1 {
		t.Errorf("the file holds %q (%v) after %d requests, want %q after 1", b, err, asked, text)
	}
	err := fetch.Weights(context.Background(), server.URL, path+"2", "00000000")
	if err == nil || !strings.Contains(err.Error(), "checksum differs: sha256 is "+digits) {
		t.Errorf("error is %v, want that the checksum differs", err)
	}
	if _, err := os.Stat(path + "2"); err == nil {
		t.Error("a wrong file was kept")
	}
}
